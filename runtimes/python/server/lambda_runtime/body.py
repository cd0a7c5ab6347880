"""Reading request bodies under a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_runtime.errors import RejectedRequestError

if TYPE_CHECKING:
    from lambda_runtime.responses import Message, Receive, Scope


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The whole body; one over the limit is rejected with 413, early if it declares its length."""
    reject_declared_length(scope, max_bytes)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        _reject_over(len(body), max_bytes)
        return body
    chunks, size = [body], len(body)
    while message.get("more_body"):
        _reject_over(size, max_bytes)
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    _reject_over(size, max_bytes)
    if message["type"] == "http.disconnect":
        raise RejectedRequestError(400, "IncompleteBody", "the caller left before the body ended")
    return b"".join(chunks)


def reject_declared_length(scope: Scope, max_bytes: int) -> None:
    """Reject by `content-length` alone, before a byte of the body is read."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            _reject_over(int(value), max_bytes)


class LimitedBody:
    """The same stream of messages, rejected as soon as more than `max_bytes` have come."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._size = 0
        self.rejection: RejectedRequestError | None = None

    async def receive(self) -> Message:
        """The next message."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        try:
            _reject_over(self._size, self._max_bytes)
        except RejectedRequestError as rejection:
            self.rejection = rejection
            raise
        return message


def too_large(max_bytes: int) -> RejectedRequestError:
    """The rejection of a body over the limit.

    The connection stays: what is left of the body is read and forgotten. Closing it would reset it
    under a sender that is still sending its body, and the sender would never see the response.
    """
    message = f"the body is larger than the {max_bytes} bytes that this function takes"
    return RejectedRequestError(413, "BodyTooLarge", message)


def _reject_over(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise too_large(max_bytes)
