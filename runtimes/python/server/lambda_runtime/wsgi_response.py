"""The response of a WSGI application, item by item, as PEP 3333 defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambda_runtime.outlet import Outlet
    from lambda_runtime.responses import Message

# More would wait in memory for its caller while the thread makes the next.
_MAX_UNSEEN_BYTES = 1 << 16


class WsgiResponse:
    """Head and body of one response; the head is sent with the first item that is not empty."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._head: Message | None = None
        self._head_is_out = False
        # By its content-length, where it has one.
        self._missing: int | None = None
        self._finished = False
        self._was_empty = False

    def start_response(
        self, status: str, fields: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take the head, or another one after an error; gives `write()`."""
        if exc_info and self._head_is_out:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._head is not None and not exc_info:
            raise RuntimeError("the application called start_response() twice")
        headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in fields]
        lengths = [value for name, value in headers if name == b"content-length"]
        self._missing = int(lengths[0]) if lengths else None
        code = int(status.split(" ", 1)[0])
        self._head = {"type": "http.response.start", "status": code, "headers": headers}
        return self.write

    def send(self, items: Iterable[bytes]) -> None:
        """Send every item when it comes, then the end of the response."""
        for item in items:
            self.write(item)
        if not self._finished:
            self._outlet.finish(*self._head_messages(), _body(b"", more=False))

    def write(self, item: bytes) -> None:
        """Send one item; the caller has it when this returns, or will have it shortly."""
        if not isinstance(item, bytes | bytearray | memoryview):
            raise TypeError(f"the application returned {type(item).__name__}, not bytes")
        if not item:
            self._look_up()
            return
        if len(item) == self._missing and len(item) <= _MAX_UNSEEN_BYTES:
            # Most responses are one small item: the thread need not wait until it is sent.
            self._finished = True
            self._outlet.finish(*self._head_messages(), _body(item, more=False))
            return
        if self._missing is not None:
            self._missing -= len(item)
        self._outlet.send(*self._head_messages(), _body(item, more=True))

    def _look_up(self) -> None:
        # Some responses have one empty item; an application that yields more must see the end.
        if self._was_empty:
            self._outlet.send()
        self._was_empty = True

    def _head_messages(self) -> list[Message]:
        if self._head_is_out:
            return []
        if self._head is None:
            raise RuntimeError("the application returnedout start_response()")
        self._head_is_out = True
        return [self._head]


def _body(item: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": bytes(item), "more_body": more}
