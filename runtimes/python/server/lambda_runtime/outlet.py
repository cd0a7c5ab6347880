"""Sends a response from a thread."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from lambda_runtime.errors import ResponseClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from lambda_runtime.responses import Message, Receive, Send


class Outlet:
    """Sends what a thread gives it, no faster than the caller takes it.

    Closed at its end, when the caller leaves, and when the call's time is over: every later try to
    send raises `ResponseClosedError` in the thread, so that an endless response ends.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._receive = receive
        self._send = send
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._last: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Leave it when the call has ended: what is not out then will never be."""
        try:
            yield
            if self._last is not None:
                await asyncio.wait([self._last])
                if not self._last.cancelled():
                    self._last.result()
        finally:
            self._close()

    def send(self, *messages: Message) -> None:
        """In the thread: returns once they are out, and there is room for more."""
        sending = asyncio.run_coroutine_threadsafe(self._deliver(messages), self._loop)
        try:
            sending.result()
        except CancelledError:
            raise ResponseClosedError from None

    def finish(self, *messages: Message) -> None:
        """In the thread: the last messages, for which it need not wait."""
        self._loop.call_soon_threadsafe(self._deliver_last, messages)

    def _deliver_last(self, messages: tuple[Message, ...]) -> None:
        if not self._closed:
            self._last = self._task(self._send_all(messages))

    async def _deliver(self, messages: tuple[Message, ...]) -> None:
        if self._closed:
            raise ResponseClosedError
        if not self._tasks:
            self._task(self._close_when_the_caller_leaves())
        await self._task(self._send_all(messages))

    async def _send_all(self, messages: tuple[Message, ...]) -> None:
        for message in messages:
            await self._send(message)

    async def _close_when_the_caller_leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._close()

    def _task(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(coroutine)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)
        return task

    def _close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
