"""The body of a request on its way to a process.

No process is taken before something of it is there, and none is kept for a sender that stops:
otherwise a handful of half-sent requests would hold a function up for everybody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

    from kn_lambda.embedded.serving.settings import ServingSettings

# Bodies up to this size are passed on in one piece; longer ones as they come.
WHOLE_BODY_BYTES: Final = 64 * 1024
# Less than that in a second is as good as nothing.
_LEAST_BYTES: Final = 1024


class SlowBodyError(Exception):
    """The sender stopped in the middle of its request."""


class RequestBody:
    """A body whose beginning is here; `begin` it, then `send` it, once."""

    def __init__(self, request: web.Request, settings: ServingSettings) -> None:
        self._request = request
        self._settings = settings
        self._first: bytes | None = None
        self._is_whole = True
        self.is_too_slow = False

    async def begin(self) -> None:
        """Wait for a short body, or for the first piece of a long one; `SlowBodyError`."""
        request = self._request
        if not request.can_read_body:
            return
        length = request.content_length
        self._is_whole = length is not None and length <= WHOLE_BODY_BYTES
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                if self._is_whole:
                    self._first = await request.read()
                else:
                    self._first = await request.content.readany()
        except TimeoutError as error:
            raise SlowBodyError from error

    def send(
        self, *, has_answer: Callable[[], bool], is_awaited: Callable[[], bool]
    ) -> bytes | AsyncIterator[bytes] | None:
        """Return what goes to the process.

        `SlowBodyError` ends a stream whose sender stops: at once, almost, while others wait for the
        process (`is_awaited`); never once the answer has begun, which the sender may wait for.
        """
        if self._first is None or self._is_whole:
            return self._first
        return self._pieces(self._first, has_answer, is_awaited)

    async def _pieces(
        self, first: bytes, has_answer: Callable[[], bool], is_awaited: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        yield first
        step = self._settings.awaited_body_seconds
        clock = asyncio.get_running_loop().time
        # Only time in which we waited for the sender counts.
        waited, received, slow = 0.0, 0, 0.0
        while True:
            began = clock()
            piece = await self._next_piece(step - waited)
            waited += clock() - began
            if piece == b"":
                return
            if piece:
                received += len(piece)
                yield piece
            if waited >= step:
                slow = slow + waited if received < _LEAST_BYTES and not has_answer() else 0.0
                waited, received = 0.0, 0
                if slow >= (step if is_awaited() else self._settings.body_seconds):
                    self.is_too_slow = True
                    raise SlowBodyError

    async def _next_piece(self, seconds: float) -> bytes | None:
        """Return what came, nothing at the end, None when nothing came in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._request.content.readany()
        except TimeoutError:
            return None
