"""The HTTP of the registry that npm sees, on a port of loopback."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

    from urllib3.response import BaseHTTPResponse

_CHUNK_BYTES = 256 * 1024


class NotServedError(Exception):
    """A status for npm, and what it is told."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Responder(Protocol):
    """Who decides what is served."""

    def respond(self, url: str, request: Message, reply: Reply) -> None:
        """Reply to a request for an address, or raise `NotServedError`."""

    def refuse(self, address: str, problem: str) -> NotServedError:
        """Remember that an address was asked for, and not served."""


class ProxyServer:
    """Listens from its making until it is closed."""

    def __init__(self, responder: Responder) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(responder))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where npm finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: npm has gone, or says itself what it misses."""


class Reply:
    """One response to npm."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self.headers: dict[str, str] = {}

    def send(self, content: bytes, media_type: str = "application/octet-stream") -> None:
        """Serve this content."""
        self._begin(200, {**self.headers, "content-type": media_type}, len(content))
        if self._handler.command != "HEAD":
            self._handler.wfile.write(content)

    def stream(self, response: BaseHTTPResponse) -> None:
        """Serve what another server sends."""
        length = response.headers.get("content-length")
        self._begin(
            200,
            {"content-type": "application/octet-stream"},
            int(length) if length and length.isdecimal() else None,
        )
        if self._handler.command == "HEAD":
            response.close()
            return
        for chunk in response.stream(_CHUNK_BYTES, decode_content=False):
            self._handler.wfile.write(chunk)
        response.release_conn()

    def refuse(self, error: NotServedError) -> None:
        """Tell npm why there is nothing."""
        content = (
            json.dumps({"error": str(error)}).encode()
            if error.status != HTTPStatus.NOT_MODIFIED
            else b""
        )
        headers = {**self.headers, "content-type": "application/json"}
        self._begin(error.status, headers, len(content))
        if self._handler.command != "HEAD":
            self._handler.wfile.write(content)

    def _begin(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        if length is None:
            self._handler.send_header("connection", "close")
        else:
            self._handler.send_header("content-length", str(length))
        self._handler.end_headers()


def _handler(proxy: Responder) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120

        def do_GET(self) -> None:
            reply = Reply(self)
            try:
                proxy.respond(self.path, self.headers, reply)
            except NotServedError as error:
                reply.refuse(error)

        do_HEAD = do_GET  # noqa: N815 - as http.server calls it

        def do_CONNECT(self) -> None:
            address = f"https://{self.path.removesuffix(':443')}"
            Reply(self).refuse(
                proxy.refuse(address, "is neither the package index nor allowed here")
            )
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            ...

    return Handler
