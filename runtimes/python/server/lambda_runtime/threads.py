"""Threads for handlers that block, so that the event loop never does."""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from lambda_runtime.errors import HandlerExitError, HandlerTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    Outcome = tuple[Any, Exception | None]


class _Call:
    """One call on its way through the queue and a thread."""

    def __init__(self, argument: Any, outcome: asyncio.Future[Outcome]) -> None:
        self.argument = argument
        self.outcome = outcome
        self.worker: _Worker | None = None
        self.expired = False


class HandlerThreads:
    """Runs one function in at most `size` threads at once; a call past its time is abandoned.

    Python cannot stop a thread: an abandoned one is replaced, and counted in `stuck` until it ends.
    """

    def __init__(self, function: Callable[[Any], Any], size: int) -> None:
        self.function = function
        self.size = size
        self.stuck = 0
        self.queue: SimpleQueue[_Call] = SimpleQueue()
        self._waiting_or_running = 0
        self._workers = 0

    async def run(self, argument: Any, timeout_seconds: float) -> Any:
        """The result; `HandlerTimeoutError` once the time is over, waiting time included."""
        loop = asyncio.get_running_loop()
        call = _Call(argument, loop.create_future())
        self._waiting_or_running += 1
        if self._workers < min(self.size, self._waiting_or_running):
            self._start_worker()
        timer = loop.call_later(timeout_seconds, self._expire, call)
        self.queue.put(call)
        try:
            result, error = await call.outcome
        finally:
            self._waiting_or_running -= 1
            timer.cancel()
        if error is not None:
            raise error
        return result

    def released(self) -> None:
        """An abandoned thread has come to its end after all."""
        self.stuck -= 1

    def _start_worker(self) -> None:
        self._workers += 1
        _Worker(self, asyncio.get_running_loop()).start()

    def _expire(self, call: _Call) -> None:
        call.expired = True
        if call.worker is not None:
            call.worker.abandoned = True
            self.stuck += 1
            self._workers -= 1
            self._start_worker()
        if not call.outcome.done():
            call.outcome.set_result((None, HandlerTimeoutError()))


class _Worker(threading.Thread):
    """Takes calls until it is abandoned; a daemon, so that it never holds up the exit."""

    def __init__(self, threads: HandlerThreads, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name="handler", daemon=True)
        self.abandoned = False
        self._threads = threads
        self._loop = loop

    def run(self) -> None:
        while not self.abandoned:
            call = self._threads.queue.get()
            # In this order: either the loop sees the worker, or the worker sees the expiry.
            call.worker = self
            if call.expired:
                continue
            outcome = self._outcome(call.argument)
            call.worker = None
            self._tell(_settle, call, outcome)
            # They may be large, and the next call may be long in coming.
            del call, outcome
        self._tell(self._threads.released)

    def _outcome(self, argument: Any) -> Outcome:
        try:
            return self._threads.function(argument), None
        except Exception as error:  # noqa: BLE001 - all of them are the caller's to report
            return None, error
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a handler ends no server
            exit_error = HandlerExitError(f"the handler raised {type(error).__name__}")
            return None, exit_error.with_traceback(error.__traceback__)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop has ended, and nobody waits for this result any more.
            self.abandoned = True


def _settle(call: _Call, outcome: Outcome) -> None:
    if not call.outcome.done():
        call.outcome.set_result(outcome)
