"""The function as it runs: one process at a time, replaced after each save."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from kn_lambda.running.front_door import NotServingError
from kn_lambda.running.server_process import ServerProcess, start_server
from kn_lambda.running.terminal_log import TerminalLog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    import aiohttp

    from kn_lambda.running.loading import Loaded, Loader
    from lambda_sandbox.isolation import Isolation

_START_SECONDS = 60.0
_DRAIN_SECONDS = 10.0


class Narrator(Protocol):
    """Tells the person at the terminal what happens."""

    def waits_for_debugger(self, loaded: Loaded) -> None:
        """The process was started, and goes on when a debugger attaches."""

    def is_ready(self, loaded: Loaded) -> None:
        """The function serves for the first time."""

    def was_reloaded(self, loaded: Loaded, seconds: float) -> None:
        """The function serves as it was saved last."""

    def failed(self, error: Exception) -> None:
        """It does not serve; the next save may mend that."""

    def ended(self, last_words: str) -> None:
        """The process ended by itself; the next request starts another one."""


@dataclass(kw_only=True)
class RunningFunction:
    """Call `reload` first and after each change; `process` waits for what it started."""

    loader: Loader
    workspace: Path
    session: aiohttp.ClientSession
    isolation: Isolation
    narrator: Narrator
    show: Callable[[str], None]
    _work: asyncio.Task[ServerProcess] | None = None
    _process: ServerProcess | None = None
    _loaded: Loaded | None = None
    _was_ready: bool = False
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def timeout_seconds(self) -> float | None:
        """How long a request may take."""
        if self._loaded is None or self._loaded.debugging is not None:
            return None
        return float(self._loaded.local.spec.timeout_seconds)

    async def process(self) -> ServerProcess:
        """Return the process that serves; a request that comes during a restart waits for it."""
        while True:
            work = self._work
            if work is None:
                raise NotServingError("the function is being stopped")
            await asyncio.wait({work})
            if work is not self._work:
                continue
            if (error := work.exception()) is not None:
                raise NotServingError(str(error))
            if not work.result().has_ended:
                return work.result()
            self._begin(self._restart())

    def reload(self) -> asyncio.Task[ServerProcess]:
        """Begin to serve the folder as it is now; a start under way is given up."""
        return self._begin(self._reload(self._work))

    async def stop(self, grace_seconds: float) -> None:
        """End everything."""
        work, self._work = self._work, None
        if work is not None:
            await _given_up(work)
        if self._process is not None:
            self._retire(self._process, grace_seconds)
        if self._background:
            await asyncio.wait(self._background)

    def _begin(self, work: Coroutine[None, None, ServerProcess]) -> asyncio.Task[ServerProcess]:
        self._work = asyncio.create_task(work)
        # Nobody may be waiting for it when it fails.
        self._work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._work

    async def _reload(self, before: asyncio.Task[ServerProcess] | None) -> ServerProcess:
        began = time.monotonic()
        if before is not None:
            await _given_up(before)
        try:
            loaded = await self.loader.load()
            if self._serves(loaded) and self._process is not None:
                return self._process
            self._loaded = loaded
            process = await self._replace(loaded)
        except Exception as error:
            self._retire_current()
            self.narrator.failed(error)
            raise
        self.loader.forget_changes()
        if self._was_ready:
            self.narrator.was_reloaded(loaded, time.monotonic() - began)
        else:
            self.narrator.is_ready(loaded)
        self._was_ready = True
        return process

    async def _restart(self) -> ServerProcess:
        assert self._loaded is not None  # noqa: S101 # a process has run
        try:
            return await self._replace(self._loaded)
        except Exception as error:
            self.narrator.failed(error)
            raise

    def _serves(self, loaded: Loaded) -> bool:
        """Whether a running process is of this very source, with these settings."""
        is_running = self._process is not None and not self._process.has_ended
        if not is_running or self._loaded is None or loaded.changed:
            return False
        return replace(loaded, changed=[]) == replace(self._loaded, changed=[])

    async def _replace(self, loaded: Loaded) -> ServerProcess:
        debugging, waits = loaded.debugging, False
        arguments = list(loaded.command.arguments)
        if debugging is not None:
            # Two processes cannot have one debugger's port, and one that is held by a debugger
            # would not finish its requests. Only the first waits: saving must not hang a function.
            await self._end_current()
            debugging.require_port()
            waits = not self._was_ready
            arguments = debugging.entrypoint(arguments, waits=waits)
        process = await start_server(
            replace(loaded.command, arguments=arguments),
            log=self._log(),
            data_folder=self.workspace,
            isolation=self.isolation,
        )
        self._retire_current()
        if waits:
            self.narrator.waits_for_debugger(loaded)
        try:
            await process.until_ready(self.session, None if waits else _START_SECONDS)
        except BaseException:
            await asyncio.shield(process.stop(0))
            raise
        self._process = process
        self._in_background(self._watch(process))
        return process

    def _log(self) -> TerminalLog:
        # A traceback shall name the file that a person can edit.
        copy = (f"{self.workspace / 'source'}/", f"{self.loader.folder}/")
        return TerminalLog(self.show, (copy,))

    async def _watch(self, process: ServerProcess) -> None:
        await process.wait()
        if process is self._process:
            self.narrator.ended(process.last_words())

    async def _end_current(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop(0)

    def _retire_current(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._retire(process, _DRAIN_SECONDS)

    def _retire(self, process: ServerProcess, grace_seconds: float) -> None:
        self._process = None
        self._in_background(process.stop(grace_seconds))

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _given_up(work: asyncio.Task[ServerProcess]) -> None:
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await work
