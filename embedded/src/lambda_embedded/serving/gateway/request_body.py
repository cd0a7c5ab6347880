"""The body of a request on its way to a process.

No process is taken before the body has arrived, or as much of it as arrives without a pause, and
none is kept for a sender that stops: otherwise a handful of half-sent requests would block a
function for everybody.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING, Final

from lambda_embedded.access.patience import SlowBodyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

    from lambda_embedded.serving.held_bytes import HeldBytes
    from lambda_embedded.serving.settings import ServingSettings

# More than our runtimes accept; a longer body is streamed.
WHOLE_BODY_BYTES: Final = 8 * 1024 * 1024
# Without a length, a pause tells a stream, whose sender may wait for a response, from a body.
_PAUSE_SECONDS: Final = 0.05
# Fewer bytes in a second count as none.
_LEAST_BYTES: Final = 1024


class RequestBody:
    """A body, read ahead by `begin`, sent by `send`, and released by `close`."""

    def __init__(self, request: web.Request, settings: ServingSettings, held: HeldBytes) -> None:
        self._request = request
        self._settings = settings
        self._held = held
        self._first: bytes | None = None
        self._size = 0
        self._is_whole = True
        self._received_at = 0.0
        self.is_too_slow = False

    async def begin(self) -> None:
        """Wait for the body, or for the beginning of a long one; may raise `SlowBodyError`."""
        request = self._request
        if not request.can_read_body:
            return
        length = request.content_length
        is_short = length is not None and length <= WHOLE_BODY_BYTES
        pieces: list[bytes] = []
        room = True
        while self._size < WHOLE_BODY_BYTES and room:
            is_awaited = is_short or not pieces
            patience = self._settings.body_seconds if is_awaited else _PAUSE_SECONDS
            piece = await self._next_piece(patience)
            if piece is None and is_awaited:
                raise SlowBodyError
            if not piece:
                self._is_whole = piece == b""
                break
            pieces.append(piece)
            self._size += len(piece)
            room = self._held.take(len(piece))
            self._received_at = asyncio.get_running_loop().time()
        else:
            self._is_whole = False
        self._first = b"".join(pieces)

    def send(
        self, *, has_response: Callable[[], bool], is_awaited: Callable[[], bool]
    ) -> BytesIO | AsyncIterator[bytes] | None:
        """Return the body as the client of the process takes it.

        `SlowBodyError` ends a stream whose sender stops: almost at once while others wait for the
        process (`is_awaited`), never once the response has begun, which the sender may await.
        """
        if self._first is None:
            return None
        if self._is_whole:
            return BytesIO(self._first)
        return self._pieces(self._first, has_response, is_awaited)

    def close(self) -> None:
        """Release the memory of the body, however much of it was sent."""
        self._held.give_back(self._size)

    async def _pieces(
        self, first: bytes, has_response: Callable[[], bool], is_awaited: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        step = self._settings.awaited_body_seconds
        clock = asyncio.get_running_loop().time
        # A sender that stopped before the process was there has been silent since.
        silent = 0.0 if self._has_more() else clock() - self._received_at
        if silent >= step and is_awaited():
            self._give_up()
        yield first
        # Only the time spent waiting for the sender counts.
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
                slow = slow + waited if received < _LEAST_BYTES and not has_response() else 0.0
                waited, received = 0.0, 0
                if slow >= (step if is_awaited() else self._settings.body_seconds):
                    self._give_up()

    def _has_more(self) -> bool:
        """Return whether anything has arrived since `begin`."""
        content = self._request.content
        return content.is_eof() or content.total_bytes > self._size

    def _give_up(self) -> None:
        self.is_too_slow = True
        raise SlowBodyError

    async def _next_piece(self, seconds: float) -> bytes | None:
        """Return the next bytes, b"" at the end, None if nothing arrived in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._request.content.readany()
        except TimeoutError:
            return None
