"""A platform of Serving alone, whose lambdas are small HTTP servers."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from lambda_embedded.access.access import Access
from lambda_embedded.serving.composition import Serving
from lambda_embedded.serving.gateway.server import gateway_runner
from lambda_embedded.serving.launchers.launcher import Command
from lambda_embedded.serving.settings import ServingSettings
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects
from lambda_sandbox.leftovers import end_leftovers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from lambda_embedded.serving.launchers.launcher import Launcher
    from lambda_sandbox.isolation import Isolation, View

SERVER = Path(__file__).parents[1] / "serving/helpers/lambda_server.py"


ACCESS = Access(token="the-token-of-tests", hosts=frozenset({"*.example.com"}))


HOST_ENVIRONMENT = {"PATH": os.environ["PATH"], "AWS_SECRET_ACCESS_KEY": "of the platform"}  # noqa: TID251


FAST = {
    "idle_window_seconds": 30.0,
    "progress_deadline_seconds": 20.0,
    "stop_grace_seconds": 5.0,
    "scale_up_delay_seconds": 0.02,
    "first_backoff_seconds": 0.01,
    "longest_backoff_seconds": 0.05,
    "crash_loop_failures": 3,
}


class TestLauncher:
    """Runs the test's server, told by the environment of the template."""

    __test__ = False

    def __init__(self, folder: Path, view: View | None = None) -> None:
        self.folder = folder
        self.view = view

    def accepts(self, template: Mapping[str, Any]) -> bool:
        return True

    async def prepare(self, namespace: str, name: str, template: Mapping[str, Any]) -> Command:
        return Command(
            arguments=[sys.executable, "-S", str(SERVER), "$(PORT)"],
            environment={"STARTS": str(self.folder / f"{namespace}.{name}.starts")},
            working_directory=self.folder,
            view=self.view,
        )

    async def collect(self, templates: Callable[[], AsyncIterator[Mapping[str, Any]]]) -> None:
        pass


class Platform:
    """Objects, Serving and the gateway, on a data folder that may outlive them."""

    def __init__(self, folder: Path, url: str, objects: Objects, serving: Serving) -> None:
        self.folder = folder
        self.url = url
        self.objects = objects
        self.serving = serving
        self.client: aiohttp.ClientSession

    def apply(self, name: str = "hello", **template: Any) -> None:
        """Create or replace a Service; keywords are parts of its template."""
        service = {
            "metadata": {"namespace": "team", "name": name},
            "spec": {"template": _template(**template)},
        }
        found = self.objects.find("Service", "team", name)
        if found is None:
            self.objects.create("Service", service)
        else:
            found["spec"] = service["spec"]
            self.objects.update("Service", found)

    async def ready(self, name: str = "hello", status: str = "True") -> dict[str, Any]:
        """Wait until the Service's newest generation is Ready, or is known not to be."""

        def condition() -> dict[str, Any] | None:
            service = self.objects.get("Service", "team", name)
            found = service.get("status", {})
            if found.get("observedGeneration") != service["metadata"]["generation"]:
                return None
            ready = next(item for item in found["conditions"] if item["type"] == "Ready")
            return found if ready["status"] == status else None

        return await self.until(condition)

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Return what `condition` says once it is truthy, looked at after every change."""
        changes = self.objects.watch()
        try:
            async with asyncio.timeout(30):
                while not (result := condition()):
                    await changes.get()
                return result
        finally:
            self.objects.unwatch(changes)

    async def get(self, path: str = "/", name: str = "hello", **options) -> tuple[int, str]:
        """Call a lambda: status and body."""
        async with self.client.get(f"{self.url}/team/{name}{path}", **options) as response:
            return response.status, await response.text()

    def starts(self, name: str = "hello") -> list[str]:
        """One line for each process that a Service ever had: its pid and its revision."""
        file = self.folder / f"team.{name}.starts"
        return file.read_text().splitlines() if file.exists() else []

    def pods(self, name: str = "hello") -> list[dict[str, Any]]:
        return self.objects.list("Pod", "team", labels={"serving.knative.dev/service": name})

    async def scaled_to_zero(self, name: str = "hello") -> None:
        await self.until(
            lambda: all(pod["status"]["phase"] == "Succeeded" for pod in self.pods(name))
        )

    def restarts(self, name: str = "hello") -> int:
        statuses = [pod["status"]["containerStatuses"][0] for pod in self.pods(name)]
        return sum(status["restartCount"] for status in statuses if status["ready"])

    async def seen(self, word: str, name: str = "hello") -> None:
        """Wait until a lambda has logged a request."""
        async with asyncio.timeout(20):
            while not any(word in self.log(pod) for pod in self.pods(name)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def holds(self, count: int, name: str = "hello") -> None:
        """Wait until so many requests wait for a process."""
        async with asyncio.timeout(20):
            slots = self.serving.routes["team", name].pool._slots
            while len(slots._held) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def log(self, pod: dict[str, Any]) -> str:
        folder = self.folder / "pods" / "team" / pod["metadata"]["name"]
        return (folder / "user-container.log").read_text()


def _template(
    environment: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    image: str = "registry.embedded/team/hello",
    **spec: Any,
) -> dict[str, Any]:
    variables = [
        {"name": name, "valueFrom": value}
        if isinstance(value, dict)
        else {"name": name, "value": value}
        for name, value in (environment or {}).items()
    ]
    container = {
        "image": image,
        "env": variables,
        "readinessProbe": {"httpGet": {"path": "/health/readiness"}},
    }
    return {
        "metadata": {"annotations": annotations or {}, "labels": labels or {}},
        "spec": {"containerConcurrency": 10, **spec, "containers": [container]},
    }


@asynccontextmanager
async def running(
    folder: Path, *launchers: Launcher, isolation: Isolation | None = None, **settings: Any
) -> AsyncIterator[Platform]:
    """A platform whose launchers are the given ones, then the test's own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await end_leftovers(folder)
    database = Database(folder / "state.sqlite")
    objects = Objects(database)
    serving = Serving(
        objects=objects,
        data_folder=folder,
        launchers=[*launchers, TestLauncher(folder)],
        base_url=url,
        host_environment=HOST_ENVIRONMENT,
        settings=ServingSettings(**{**FAST, **settings}),
        isolation=isolation,
    )
    platform = Platform(folder, url, objects, serving)
    runner = gateway_runner(serving, ACCESS)
    await runner.setup()
    await serving.start()
    try:
        await web.SockSite(runner, listener).start()
        async with aiohttp.ClientSession() as platform.client:
            yield platform
    finally:
        await runner.cleanup()
        await serving.stop()
        database.close()
    assert await end_leftovers(folder) == 0
