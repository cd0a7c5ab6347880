"""The parts of Serving, wired together."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from lambda_embedded.serving.held_bytes import HeldBytes
from lambda_embedded.serving.lambda_client import new_session
from lambda_embedded.serving.pool.pods import LambdaPods
from lambda_embedded.serving.pool.starter import Starter
from lambda_embedded.serving.services.controller import ServiceController
from lambda_embedded.serving.services.revisions import Revisions
from lambda_embedded.serving.services.served_service import Parts
from lambda_embedded.serving.settings import ServingSettings
from lambda_sandbox.isolation import SupervisorIsolation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import aiohttp

    from lambda_embedded.serving.launchers.launcher import Launcher
    from lambda_embedded.serving.services.route import Route, RouteKey
    from lambda_embedded.store.objects import Objects
    from lambda_sandbox.isolation import Isolation


class Serving:
    """Runs the lambdas of all Services; `start` and `stop` it, or `run` it until cancelled.

    Call `lambda_sandbox.leftovers.end_leftovers` before the first start on a data folder.
    `base_url` is where the gateway listens. Of `host_environment`, lambdas see PATH, LANG, TZ and
    the places of certificates. `isolation` runs programs of others.
    """

    def __init__(
        self,
        *,
        objects: Objects,
        data_folder: Path,
        launchers: Sequence[Launcher],
        base_url: str,
        host_environment: Mapping[str, str],
        settings: ServingSettings | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self._objects = objects
        self._data_folder = data_folder
        self._launchers = launchers
        self._base_url = base_url.rstrip("/")
        self._host_environment = host_environment
        self.settings = settings or ServingSettings()
        self.started = asyncio.Event()
        """Set while the gateway may route requests."""
        self._isolation = isolation or SupervisorIsolation()
        self._watching: asyncio.Task[None] | None = None
        self._controller: ServiceController
        self.held_bytes = HeldBytes(self.settings.held_bytes_limit)
        self.routes: dict[RouteKey, Route] = {}
        self.session: aiohttp.ClientSession

    async def start(self) -> None:
        """Take over the Services that are there and follow their changes."""
        self.session = new_session()
        starter = Starter(
            objects=self._objects,
            data_folder=self._data_folder,
            launchers=self._launchers,
            host_environment=self._host_environment,
            session=self.session,
            settings=self.settings,
            isolation=self._isolation,
        )
        parts = Parts(
            objects=self._objects,
            revisions=Revisions(self._objects),
            pods=LambdaPods(self._objects, self._data_folder),
            starter=starter,
            launchers=self._launchers,
            settings=self.settings,
            base_url=self._base_url,
        )
        self._controller = ServiceController(parts, self.routes)
        self._controller.take_over()
        self._watching = asyncio.ensure_future(self._controller.run())
        self.started.set()

    async def run(self) -> None:
        """Serve until cancelled; every process is gone when this returns."""
        await self.start()
        try:
            if self._watching is not None:
                await self._watching
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop watching Services, then every process."""
        if self._watching is None:
            return
        self.started.clear()
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        self._watching = None
        self.routes.clear()
        await self._controller.stop()
        await self.session.close()

    def url_of(self, namespace: str, name: str) -> str | None:
        """Return the URL of a Service, or None if there is no such Service."""
        if (namespace, name) not in self.routes:
            return None
        return f"{self._base_url}/{namespace}/{name}"
