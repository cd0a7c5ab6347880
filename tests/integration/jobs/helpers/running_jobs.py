"""Objects with a Job controller on them."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_embedded.jobs.controller import JobController
from lambda_embedded.jobs.kubelet import Kubelet
from lambda_embedded.jobs.settings import JobSettings
from lambda_sandbox.isolation import SupervisorIsolation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from lambda_embedded.store.objects import Change, KubernetesObject, Objects
    from lambda_sandbox.isolation import Isolation

PATIENCE_SECONDS = 60.0


def poll(holds: Callable[[], bool]) -> None:
    """Wait for something that only the file system tells."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


@dataclass
class Jobs:
    """Objects with a Job controller on them, and ways to wait for what it does."""

    objects: Objects
    folder: Path

    def create(self, name: str, *scripts: str, **spec: Any) -> KubernetesObject:
        """Create a Job whose containers run Python scripts, the last one as main container."""
        containers = [
            {"name": f"step-{index}", "command": ["python", "-c", script]}
            for index, script in enumerate(scripts)
        ]
        pod_spec = {"initContainers": containers[:-1], "containers": containers[-1:]}
        extra = spec.pop("container", {})
        for container in containers:
            container.update(extra)
        pod_spec |= spec.pop("pod", {})
        metadata = {"namespace": "builds", "name": name}
        body = {"template": {"spec": pod_spec}, "backoffLimit": 0, **spec}
        return self.objects.create("Job", {"metadata": metadata, "spec": body})

    def job(self, name: str) -> KubernetesObject:
        return self.objects.get("Job", "builds", name)

    def pods(self, name: str) -> list[KubernetesObject]:
        pods = self.objects.list("Pod", "builds", labels={"job-name": name})
        return sorted(pods, key=lambda pod: int(pod["metadata"]["resourceVersion"]))

    def log(self, pod: KubernetesObject, container: str) -> str:
        return self.log_file(pod, container).read_text()

    def log_file(self, pod: KubernetesObject, container: str) -> Path:
        return self.folder / "pods" / "builds" / pod["metadata"]["name"] / f"{container}.log"

    def outcome(self, name: str) -> tuple[str, str] | None:
        """Type and reason of the last condition that is true."""
        conditions = (self.job(name).get("status") or {}).get("conditions") or []
        true = [item for item in conditions if item["status"] == "True"]
        return (true[-1]["type"], true[-1]["reason"]) if true else None

    async def finished(self, name: str) -> tuple[str, str]:
        await self.until(lambda: self.outcome(name) is not None)
        outcome = self.outcome(name)
        assert outcome is not None
        return outcome

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that shows in the objects."""
        changes: asyncio.Queue[Change] = self.objects.watch()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds():
                    await changes.get()
        finally:
            self.objects.unwatch(changes)

    async def until_file(self, path: Path) -> str:
        """Wait for a file that a container writes at once by renaming, and return its text."""
        await asyncio.to_thread(poll, path.exists)
        return path.read_text()  # noqa: ASYNC240  # a few bytes

    async def until_empty(self, folder: Path) -> None:
        """Wait until a folder is empty or missing."""
        await asyncio.to_thread(poll, lambda: not any(folder.glob("*")))

    @asynccontextmanager
    async def controller(
        self, isolation: Isolation | None = None, *, opened: Sequence[Path] = (), **settings: Any
    ) -> AsyncIterator[None]:
        chosen = JobSettings(**{"max_pods": 2, "backoff_seconds": 0.01, **settings})
        kubelet = Kubelet(
            objects=self.objects,
            builds=self.folder / "builds",
            pods=self.folder / "pods",
            data_folder=self.folder,
            environment={"PATH": os.environ["PATH"]},  # noqa: TID251  # tests are no program
            settings=chosen,
            opened=opened,
            isolation=isolation or SupervisorIsolation(),
        )
        run = asyncio.create_task(JobController(self.objects, kubelet, chosen).run())
        try:
            yield
        finally:
            if run.done():
                run.result()
            run.cancel()
            await asyncio.wait({run})
