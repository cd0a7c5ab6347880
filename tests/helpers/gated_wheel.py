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
CLUSTER_PORT = 10480
"""Builds of a cluster may fetch packages from there: testbed/install.sh."""


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


class GateServer:
    """Where gated packages come from, each at a path of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        """What a platform has to allow: the beginning of every address."""
        self.gates: dict[str, GatedWheel] = {}

    @contextlib.contextmanager
    def gate(self) -> Iterator[GatedWheel]:
        """Make a package that nobody has asked for before; the gate is opened in the end."""
        gate = GatedWheel()
        # A path of its own, so that no cache of an earlier build has it.
        path = f"/{uuid.uuid4().hex}/{NAME}"
        digest = hashlib.sha256(CONTENT).hexdigest()
        gate.requirement = f"gated @ {self.url}{path}#sha256={digest}\n"
        self.gates[path] = gate
        try:
            yield gate
        finally:
            gate.open()


@contextlib.contextmanager
def gate_server(address: str = "127.0.0.1", port: int = 0) -> Iterator[GateServer]:
    """Serve gated packages at an address of this machine that builds can reach."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gate = gates.gates.get(self.path)
            if gate is None:
                self.send_error(404)
                return
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

    with ThreadingHTTPServer((address, port), Handler) as server:
        server.daemon_threads = True
        gates = GateServer(f"http://{address}:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield gates
        finally:
            server.shutdown()
            thread.join()
