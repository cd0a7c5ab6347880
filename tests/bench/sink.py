"""A subscriber of the bench's own."""

from __future__ import annotations

import http.client
import http.server
import threading
import time
from typing import TYPE_CHECKING, Self

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATIENCE_SECONDS = 120.0


class Sink:
    """A subscriber that notes when each event arrived, and tells of it."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        told: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        """Choose a free port; `told` is given the attributes of each event as it arrives."""
        arrived: dict[str, float] = {}
        changed = threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the name that http.server calls
                at = time.perf_counter()
                names = {name.lower(): value for name, value in self.headers.items()}
                told({name[3:]: names[name] for name in names if name.startswith("ce-")})
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(http.HTTPStatus.NO_CONTENT)
                self.end_headers()
                with changed:
                    arrived[self.headers["ce-id"]] = at
                    changed.notify_all()

            @override
            def log_message(self, format: str, *args: object) -> None:
                return

        self._arrived, self._changed = arrived, changed
        self._server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def arrival(self, identity: str) -> float:
        """When the event arrived; waits for it."""
        with self._changed:
            if not self._changed.wait_for(lambda: identity in self._arrived, _PATIENCE_SECONDS):
                raise TimeoutError(f"event {identity} did not arrive")
            return self._arrived[identity]
