"""Kubernetes APIs that note who asks, with certificates of an authority of their own."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.certificate_authority import Authority

_BODY = b'{"kind": "Job"}'


@contextlib.contextmanager
def noting_server(
    authority: Authority | None = None, *, wants_certificate: bool = False
) -> Iterator[tuple[str, list[str | None]]]:
    """Answer every request with an object; yields its URL and what each request was shown by."""
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(_BODY)))
            self.end_headers()
            self.wfile.write(_BODY)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if authority is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(authority.server)
            if wants_certificate:
                context.load_verify_locations(authority.certificate)
                context.verify_mode = ssl.CERT_REQUIRED
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            scheme = "http" if authority is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()
