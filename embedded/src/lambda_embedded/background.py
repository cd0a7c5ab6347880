"""Background parts and servers of the platform; each ends with its `async with` block."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Coroutine
    from ssl import SSLContext

_LOG = logging.getLogger(__name__)


class PlatformFailedError(Exception):
    """A part of the platform ended by itself; the platform must not continue without it."""


class Background:
    """Runs parts and notices the first one that ends by itself."""

    def __init__(self) -> None:
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def running(self, name: str, work: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Run a part within the block; at its end the part is cancelled and waited for."""
        task = asyncio.create_task(work, name=name)
        ended = self._ended
        task.add_done_callback(ended)
        try:
            yield
        finally:
            task.remove_done_callback(ended)
            task.cancel()
            await asyncio.wait({task})

    async def until(self, started: asyncio.Event) -> None:
        """Wait for a part to say that it has started; `PlatformFailedError` if one ends first."""
        waiting: asyncio.Future[object] = asyncio.ensure_future(started.wait())
        failing: asyncio.Future[object] = asyncio.ensure_future(self.failure())
        try:
            await asyncio.wait((waiting, failing), return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                failing.result()
        finally:
            waiting.cancel()
            failing.cancel()

    async def failure(self) -> None:
        """Wait until a part ends by itself, and raise `PlatformFailedError`."""
        await asyncio.shield(self._failed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._failed.done():
            return
        error = None if task.cancelled() else task.exception()
        cause = f": {error!r}" if error else ""
        _LOG.error("%s ended unexpectedly", task.get_name(), exc_info=error)
        failure = PlatformFailedError(f"{task.get_name()} ended unexpectedly{cause}")
        failure.__cause__ = error
        self._failed.set_exception(failure)
        # Whoever waits gets it; mark it as retrieved in case nobody does.
        self._failed.exception()


@asynccontextmanager
async def set_up(runner: web.AppRunner) -> AsyncIterator[web.AppRunner]:
    """Set up a server; at the end of the block, wait for its last requests."""
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening(
    runner: web.AppRunner, listener: socket.socket, *, tls: SSLContext | None = None
) -> AsyncIterator[None]:
    """Accept connections within the block."""
    site = web.SockSite(runner, listener, ssl_context=tls)
    await site.start()
    try:
        yield
    finally:
        await site.stop()
