"""A server of this process over loopback."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from tests.helpers.certificate_authority import Authority


@contextlib.contextmanager
def serving_requests(
    handler: type[BaseHTTPRequestHandler],
    authority: Authority | None = None,
    *,
    server_class: type[ThreadingHTTPServer] = ThreadingHTTPServer,
) -> Iterator[str]:
    """The URL of a server; https with an authority, which is that of localhost."""
    server = server_class(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    base = f"http://127.0.0.1:{server.server_address[1]}"
    if authority is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority.server)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        base = f"https://localhost:{server.server_address[1]}"
    # It looks that often whether it is to end.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
