"""Which request gets which process of a revision, and which requests wait."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.serving.pool.lambda_process import LambdaProcess


class RevisionRetiredError(Exception):
    """Traffic moved to another revision while the request waited: use that one."""


class TooManyRequestsError(Exception):
    """The limit of waiting requests is reached."""


class CrashLoopError(Exception):
    """The program keeps crashing."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class Slots:
    """Requests in progress and held, first come first served, without I/O.

    `on_short` is called when more processes would help, `on_idle` when the last request is over.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        target: int,
        held_limit: int,
        on_short: Callable[[], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._concurrency = concurrency
        self._target = target
        self._held_limit = held_limit
        self._on_short = on_short
        self._on_idle = on_idle
        self._held: deque[asyncio.Future[LambdaProcess]] = deque()
        self.ready: list[LambdaProcess] = []
        self.under_way = 0
        self.peak = 0

    @property
    def is_short(self) -> bool:
        """Whether requests wait, or processes are over their target."""
        return bool(self._held) or self.under_way > self._target * len(self.ready)

    @property
    def has_held(self) -> bool:
        """Whether requests wait for a process."""
        return bool(self._held)

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress or held."""
        return not self._held and not self.under_way

    def take(self) -> LambdaProcess | None:
        """Return a free process, or None; give it back with `release`."""
        if self._held:
            return None
        process = self._free()
        if process is not None:
            self._assign(process)
            if self.under_way > self._target * len(self.ready):
                self._on_short()
        return process

    async def hold(self) -> LambdaProcess:
        """Wait for a process; give it back with `release`. A cancelled wait takes none."""
        if len(self._held) >= self._held_limit:
            raise TooManyRequestsError
        turn: asyncio.Future[LambdaProcess] = asyncio.get_running_loop().create_future()
        self._held.append(turn)
        self._on_short()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and not turn.exception():
                self.release(turn.result())
            elif turn in self._held:
                self._held.remove(turn)
            raise

    def release(self, process: LambdaProcess) -> None:
        """Take back a process whose request is over."""
        process.under_way -= 1
        self.under_way -= 1
        if self._held:
            self._hand_out()
        if self.under_way == 0:
            self._on_idle()

    def add(self, process: LambdaProcess) -> None:
        """Let a process that became ready take requests, held ones first."""
        self.ready.append(process)
        self._hand_out()

    def remove(self, process: LambdaProcess) -> None:
        """Give a process no further requests; those in progress continue."""
        if process in self.ready:
            self.ready.remove(process)

    def reject_held(self, error: Exception) -> None:
        """Fail every held request with an error."""
        held, self._held = self._held, deque()
        for turn in held:
            if not turn.done():
                turn.set_exception(error)

    def _hand_out(self) -> None:
        while self._held:
            if self._held[0].done():
                self._held.popleft()
                continue
            process = self._free()
            if process is None:
                return
            self._assign(process)
            self._held.popleft().set_result(process)

    def _free(self) -> LambdaProcess | None:
        best: LambdaProcess | None = None
        for process in self.ready:
            if best is None or process.under_way < best.under_way:
                best = process
        if best is None or (self._concurrency and best.under_way >= self._concurrency):
            return None
        return best

    def _assign(self, process: LambdaProcess) -> None:
        process.under_way += 1
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
