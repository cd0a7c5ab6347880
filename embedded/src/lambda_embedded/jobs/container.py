"""Runs one container of a pod as a process."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lambda_builder.own_interpreter import with_own_packages
from lambda_embedded.jobs.container_end import ContainerEnd
from lambda_embedded.jobs.container_view import view_of
from lambda_embedded.jobs.memory_limit import kill_above, memory_limit_bytes
from lambda_embedded.jobs.plain_file import open_plain_file
from lambda_embedded.jobs.result import VARIABLE, Result
from lambda_embedded.jobs.variables import variables_of
from lambda_embedded.jobs.volumes import PodFolder, translate
from lambda_embedded.languages import find_program
from lambda_embedded.processes.environment import UnresolvedEnvironmentError, expand
from lambda_sandbox.children import ChildProcess, start_process
from lambda_sandbox.log_file import RotatingLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_builder.language import Installer
    from lambda_embedded.jobs.settings import JobSettings
    from lambda_embedded.store.objects import KubernetesObject, Objects
    from lambda_sandbox.isolation import Isolation

CANNOT_START = 128
_SIGNAL_BASE = 128
_MESSAGE_BYTES = 4096
_MESSAGE_FROM_LOG_BYTES = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerRunner:
    """Starts the containers of one pod in its folder."""

    objects: Objects
    pod: KubernetesObject
    folder: PodFolder
    logs: Path
    data_folder: Path
    environment: Mapping[str, str]
    """Added to the `env` of every container: this machine's PATH, proxies and certificates."""
    image_places: Mapping[PurePosixPath, Path]
    """Places of this machine by the paths that they have in an image."""
    opened: Sequence[Path]
    """Folders that the `file://` URLs of a container may name."""
    installers: Sequence[Installer]
    """What recipes use of this machine."""
    settings: JobSettings
    isolation: Isolation

    async def run(self, container: Mapping[str, Any], started: Callable[[], None]) -> ContainerEnd:
        """Run a container to its end; cancelling this ends its processes."""
        message_file = self.folder.termination_message_file(container["name"])
        message_file.touch(mode=0o600)
        try:
            limit = memory_limit_bytes(container)
            environment = self._environment(container)
            result = Result.of(environment, self.folder.result_folder, self.opened)
            if result is not None:
                environment[VARIABLE] = result.file.as_uri()
            child = await self._start(container, environment)
        except (OSError, ValueError, UnresolvedEnvironmentError) as error:
            return ContainerEnd(CANNOT_START, "StartError", str(error))
        try:
            started()
            status, out_of_memory = await self._wait(child, limit)
        finally:
            if child.returncode is None:
                await asyncio.shield(child.stop(self._grace_seconds))
        exit_code = status if status >= 0 else _SIGNAL_BASE - status
        message = self._message(container, exit_code)
        if out_of_memory:
            return ContainerEnd(exit_code, "OOMKilled", message)
        reason = "Completed" if exit_code == 0 else "Error"
        end = ContainerEnd(exit_code, reason, message)
        return end if result is None else await asyncio.to_thread(result.store, end)

    async def _start(
        self, container: Mapping[str, Any], environment: Mapping[str, str]
    ) -> ChildProcess:
        words = [*(container.get("command") or []), *(container.get("args") or [])]
        if not container.get("command"):
            raise ValueError("a container of a Job needs a command here: its image is not used")
        arguments = with_own_packages([expand(word, environment) for word in words])
        return await start_process(
            ["nice", "-n", str(self.settings.niceness), _program(arguments[0], environment),
             *arguments[1:]],
            environment=environment,
            working_directory=self._working_directory(container),
            log=RotatingLog(
                self.logs / f"{container['name']}.log", limit_bytes=self.settings.log_limit_bytes
            ),
            data_folder=self.data_folder,
            isolation=self.isolation,
            view=view_of(
                container,
                self.folder,
                environment,
                machine=self.environment,
                installed=self.image_places.values(),
                opened=self.opened,
                installers=self.installers,
            ),
        )  # fmt: skip

    def _environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        places = {**self.image_places, **self.folder.places(container)}
        own = variables_of(self.objects, self.pod, container)
        message_file = self.folder.termination_message_file(container["name"])
        return {
            **self.environment,
            "TMPDIR": str(self.folder.temporary_folder),
            "TERMINATION_MESSAGE_PATH": str(message_file),
            **{name: translate(value, places) for name, value in own.items()},
        }

    def _working_directory(self, container: Mapping[str, Any]) -> Path:
        wanted = container.get("workingDir")
        if not wanted:
            return self.folder.root
        return Path(translate(wanted, self.folder.places(container)))

    async def _wait(self, child: ChildProcess, limit: int | None) -> tuple[int, bool]:
        if limit is None:
            return await child.wait(), False
        watch = asyncio.create_task(
            kill_above(child, limit, poll_seconds=self.settings.memory_poll_seconds)
        )
        try:
            status = await child.wait()
        finally:
            watch.cancel()
            await asyncio.wait({watch})
        return status, not watch.cancelled() and watch.exception() is None

    def _message(self, container: Mapping[str, Any], exit_code: int) -> str:
        path = self.folder.termination_message_file(container["name"])
        message = _tail(path, _MESSAGE_BYTES)
        policy = container.get("terminationMessagePolicy")
        if not message and exit_code != 0 and policy == "FallbackToLogsOnError":
            return _tail(self.logs / f"{container['name']}.log", _MESSAGE_FROM_LOG_BYTES)
        return message

    @property
    def _grace_seconds(self) -> float:
        requested = self.pod["spec"].get("terminationGracePeriodSeconds")
        limit = self.settings.grace_seconds
        return limit if requested is None else min(limit, float(requested))


def _program(name: str, environment: Mapping[str, str]) -> str:
    # A build runs the programs of this installation, not those of an image.
    program = find_program(name, path=environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(f"program {name!r} not found")
    return program


def _tail(path: Path, limit: int) -> str:
    with open_plain_file(path) as file:
        if file is None:
            return ""
        file.seek(max(0, os.fstat(file.fileno()).st_size - limit))
        return file.read(limit).decode(errors="replace").strip()
