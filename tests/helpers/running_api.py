"""The embedded platform's Kubernetes API on a free port of this process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.access.access import Access
from lambda_embedded.access.certificate import read_or_create_certificate, server_context
from lambda_embedded.access.token import read_or_create_token
from lambda_embedded.api.garbage_collector import GarbageCollector
from lambda_embedded.api.kubeconfig import write_kubeconfig
from lambda_embedded.api.server import create_api
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHANGES_KEPT = 50


class RunningApi:
    """The API in a thread with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.token = read_or_create_token(folder / "token")
        self.url = ""
        self.objects: Objects
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self):
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def call(self, function: Callable, *arguments, **options):
        """Call what belongs to the platform's thread there, and return what it returns."""

        async def run():
            return function(*arguments, **options)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    async def _serve(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        database = Database(self.folder / "state.sqlite")
        self.objects = Objects(database, changes_kept=CHANGES_KEPT)
        app = create_api(self.objects, self.folder / "pods", access=Access(token=self.token))
        certificate = read_or_create_certificate(self.folder / "api.pem")
        runner = web.AppRunner(app)
        await runner.setup()
        tls = server_context(self.folder / "api.pem")
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        write_kubeconfig(
            self.kubeconfig,
            self.url,
            certificate=certificate,
            token_file=self.folder / "token",
        )
        collector = asyncio.create_task(GarbageCollector(self.objects).run())
        self._ready.set()
        await self._end.wait()
        collector.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await collector
        await runner.cleanup()
        database.close()
