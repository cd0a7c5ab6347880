"""Runs pods: their initContainers one after the other, then their containers in parallel."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_embedded.jobs.container import CANNOT_START, ContainerRunner
from lambda_embedded.jobs.pod_record import PodRecord
from lambda_embedded.jobs.variables import await_variables
from lambda_embedded.jobs.volumes import PodFolder, VolumeError
from lambda_sandbox.isolation import SupervisorIsolation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from lambda_builder.language import Installer
    from lambda_embedded.jobs.settings import JobSettings
    from lambda_embedded.store.objects import KubernetesObject, Objects
    from lambda_sandbox.isolation import Isolation


@dataclass(frozen=True, kw_only=True, slots=True)
class Kubelet:
    """Runs pods below two folders: `builds` for their files, `pods` for their logs."""

    objects: Objects
    builds: Path
    pods: Path
    data_folder: Path
    environment: Mapping[str, str]
    settings: JobSettings
    image_places: Mapping[PurePosixPath, Path] = field(default_factory=dict)
    opened: Sequence[Path] = ()
    """Folders that `file://` URLs of a container may name: those of storage and registry."""
    installers: Sequence[Installer] = ()
    """What recipes use of this machine."""
    isolation: Isolation = field(default_factory=SupervisorIsolation)

    async def run(self, pod: KubernetesObject) -> KubernetesObject:
        """Run a pod to its end and return it; its files are removed, its logs stay.

        Cancelling this ends its processes and leaves its status as it was.
        """
        folder = self._folder(pod)
        record = PodRecord(self.objects, pod)
        try:
            try:
                folder.create(self.objects, pod)
            except (VolumeError, OSError, ValueError) as error:
                return _cannot_start(pod, record, str(error))
            return await self._run_containers(pod, record, self._runner(pod, folder))
        finally:
            await asyncio.shield(asyncio.to_thread(folder.remove))

    async def await_variables(self, pod: KubernetesObject) -> None:
        """Wait for what a pod's variables come from; on a cluster too, it may be made later."""
        await await_variables(self.objects, pod)

    def forget(self, pod: KubernetesObject) -> None:
        """Remove all files of a deleted pod, including its logs."""
        self._folder(pod).remove()
        PodFolder(self._logs(pod)).remove()

    def forget_all_files(self) -> None:
        """Remove what pods left in `builds` when the platform was killed."""
        for folder in self.builds.glob("*/*"):
            PodFolder(folder).remove()

    async def _run_containers(
        self, pod: KubernetesObject, record: PodRecord, runner: ContainerRunner
    ) -> KubernetesObject:
        for container in pod["spec"].get("initContainers") or []:
            if not await self._run_container(container, record, runner):
                return record.finished("Failed")
        async with asyncio.TaskGroup() as group:
            runs = [
                group.create_task(self._run_container(container, record, runner))
                for container in pod["spec"]["containers"]
            ]
        succeeded = all(run.result() for run in runs)
        return record.finished("Succeeded" if succeeded else "Failed")

    async def _run_container(
        self, container: Mapping[str, Any], record: PodRecord, runner: ContainerRunner
    ) -> bool:
        name = container["name"]
        end = await runner.run(container, lambda: record.running(name))
        record.terminated(name, end.exit_code, end.reason, end.message)
        return end.exit_code == 0

    def _runner(self, pod: KubernetesObject, folder: PodFolder) -> ContainerRunner:
        return ContainerRunner(
            objects=self.objects,
            pod=pod,
            folder=folder,
            logs=self._logs(pod),
            data_folder=self.data_folder,
            environment=self.environment,
            image_places=self.image_places,
            opened=self.opened,
            installers=self.installers,
            settings=self.settings,
            isolation=self.isolation,
        )

    def _folder(self, pod: KubernetesObject) -> PodFolder:
        metadata = pod["metadata"]
        return PodFolder(self.builds / metadata["namespace"] / metadata["name"])

    def _logs(self, pod: KubernetesObject) -> Path:
        metadata = pod["metadata"]
        return self.pods.joinpath(metadata["namespace"], metadata["name"])


def _cannot_start(pod: KubernetesObject, record: PodRecord, message: str) -> KubernetesObject:
    first = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]][0]
    record.terminated(first["name"], CANNOT_START, "StartError", message)
    return record.finished("Failed")
