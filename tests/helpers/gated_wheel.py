"""A package that arrives when a test lets it: what holds a build in its middle."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.helpers.package_indexes import wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "gated-1.0-py3-none-any.whl"
CONTENT = wheel("gated", "1.0", files={"gated.py": "VALUE = 'through the gate'\n"})
LONGEST_SECONDS = 120


class GatedWheel:
    """`requirement` is a line of requirements.txt that cannot be installed before `open`."""

    def __init__(self) -> None:
        self.requirement = ""
        self.asked = threading.Event()
        self._opened = threading.Event()

    def await_build(self) -> None:
        """Return once an installer stands before the gate."""
        assert self.asked.wait(60), "no build asked for the package"

    def open(self) -> None:
        self._opened.set()

    def pass_through(self) -> bool:
        self.asked.set()
        return self._opened.wait(LONGEST_SECONDS)


@contextlib.contextmanager
def gated_wheel(address: str = "127.0.0.1") -> Iterator[GatedWheel]:
    """A gate at an address of this machine that builds can reach."""
    gate = GatedWheel()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not gate.pass_through():
                return
            # The installer may have been ended while it waited.
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Type", "application/zip")
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(CONTENT)

        do_HEAD = do_GET  # noqa: N815 # as http.server calls it

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer((address, 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        digest = hashlib.sha256(CONTENT).hexdigest()
        # A path of its own, so that no cache of an earlier build has it.
        place = f"http://{address}:{server.server_address[1]}/{uuid.uuid4().hex}/{NAME}"
        gate.requirement = f"gated @ {place}#sha256={digest}\n"
        try:
            yield gate
        finally:
            gate.open()
            server.shutdown()
            thread.join()
