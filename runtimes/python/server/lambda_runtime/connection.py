"""A caller's connection under limits of size and time; uvicorn's own has few of them."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http import httptools_impl

from lambda_runtime.errors import RejectedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

# Room for all attributes of an event, percent-encoded; it is counted by what is read at once.
_MAX_HEAD_BYTES = 1 << 18
_HEAD_SECONDS = 60.0
# As the Broker's: how long a sender that has its response may go on sending before it reads it.
_DRAIN_SECONDS = 10.0
# A transport takes responses up to this size without waiting for the caller.
_SMALL_BODY_BYTES = 1 << 16


class Exchange(httptools_impl.RequestResponseCycle):
    """One request and its response, which counts as sent only when the caller has received it."""

    overdue: RejectedRequestError | None = None

    async def receive(self) -> Any:
        """As ASGI's; raises where the body takes longer than the whole call may."""
        message = await super().receive()
        if self.overdue is not None and not self.disconnected:
            raise self.overdue
        return message

    async def send(self, message: Any) -> None:
        """As ASGI's; who is cancelled here gives up the connection, and what it holds."""
        try:
            if message.get("more_body"):
                await self._send_and_wait(message)
            elif len(message.get("body", b"")) > _SMALL_BODY_BYTES:
                # The end is sent afterwards: whoever waits for it takes it for an orderly close.
                await self._send_and_wait({**message, "more_body": True})
                await super().send({"type": "http.response.body"})
            else:
                await super().send(message)
        except asyncio.CancelledError:
            self.transport.abort()
            raise

    async def _send_and_wait(self, message: Any) -> None:
        await super().send(message)
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()


# The protocol makes them by this name.
vars(httptools_impl)["RequestResponseCycle"] = Exchange


class Connection(httptools_impl.HttpToolsProtocol):
    """Gives up callers that are late with a head or a body, or do not receive their response.

    Costs no timer where a request comes at once and its response is received at once.
    """

    def __init__(self, *arguments: Any, timeout_seconds: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timeout_seconds = timeout_seconds
        self._in_head = True
        # Since the last piece of a body: heads and trailers are kept until they are whole.
        self._kept_bytes = 0
        self._late_sender: asyncio.TimerHandle | None = None
        self._late_reader: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._sender_is_in_time()
        self._reader_is_in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._kept_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._kept_bytes > _MAX_HEAD_BYTES:
            self._reject_head()
        elif self._kept_bytes and self._late_sender is None:
            if self._in_head:
                self._expect_sender(_HEAD_SECONDS, self.transport.abort)
            elif not self.cycle.response_complete:
                self._expect_sender(self._timeout_seconds, self._body_is_overdue)

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_head = False
        self._sender_is_in_time()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools; fields after a body are nobody's."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        # One byte more than none: the body is not whole yet.
        self._kept_bytes = 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        self._in_head = True
        self._kept_bytes = 0
        self._sender_is_in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See HttpToolsProtocol."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and not self._in_head:
            self._sender_is_in_time()
            self._expect_sender(_DRAIN_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        super().pause_writing()
        if self._late_reader is None:
            self._late_reader = self.loop.call_later(self._timeout_seconds, self._give_up_reader)

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._reader_is_in_time()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """See HttpToolsProtocol; what its caller has not taken by now goes too."""
        self.transport.abort()

    def _reject_head(self) -> None:
        if self._in_head and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()
        else:
            self.transport.abort()

    def _give_up_reader(self) -> None:
        within = f"within {self._timeout_seconds:g} s"
        print(
            f"a caller did not receive its response {within}: connection closed",
            file=sys.stderr,
            flush=True,
        )
        self.transport.abort()

    def _body_is_overdue(self) -> None:
        message = f"the body did not come within {self._timeout_seconds:g} s"
        self.cycle.overdue = RejectedRequestError(504, "FunctionTimeout", message)
        self.cycle.message_event.set()

    def _expect_sender(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._late_sender = self.loop.call_later(seconds, otherwise)

    def _sender_is_in_time(self) -> None:
        if self._late_sender is not None:
            self._late_sender.cancel()
            self._late_sender = None

    def _reader_is_in_time(self) -> None:
        if self._late_reader is not None:
            self._late_reader.cancel()
            self._late_reader = None
