"""Real S3 servers as processes of their own, and servers that fail on purpose."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.storage import S3Connection
from tests.helpers.server_processes import started_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSITYGW = (
    "versitygw",
    'PATH="$(tests/helpers/install_s3_server.sh):$PATH" (go install versitygw, pinned)',
)


def connection_to(port: int, **changes: Any) -> S3Connection:
    """Return a connection that gives up quickly."""
    quick = S3Connection(
        endpoint_url=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key="contract-tests",
        secret_key="contract-tests-secret",
        connect_timeout=timedelta(seconds=2),
        read_timeout=timedelta(seconds=20),
        max_attempts=2,
    )
    return replace(quick, **changes)


# Makes the bucket, then listens: nobody finds the server without it.
_MOTO_WITH_BUCKET = """
import sys
import boto3
from moto import mock_aws
from moto.server import main

in_memory = mock_aws()
in_memory.start()
boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=sys.argv.pop(1))
in_memory.stop(remove_data=False)
main(sys.argv[1:])
"""


@contextlib.contextmanager
def moto_server(
    folder: Path, port: int | None = None, *, bucket: str | None = None
) -> Iterator[S3Connection]:
    """moto: everything in memory, believes every credential; `bucket` is there from the start."""
    started = ["-c", _MOTO_WITH_BUCKET, bucket] if bucket else ["-m", "moto.server"]
    command = [sys.executable, *started, "-H", "127.0.0.1", "-p"]
    with started_server(lambda free: [*command, str(free)], folder, port) as used:
        yield connection_to(used)


@contextlib.contextmanager
def versity_gateway(program: str, folder: Path) -> Iterator[S3Connection]:
    """versitygw: objects as files, checks signatures."""
    (folder / "objects").mkdir()
    (folder / "sidecar").mkdir()
    keys = ["--access", "contract-tests", "--secret", "contract-tests-secret", "--quiet"]
    # A sidecar folder, because not every file system has extended attributes.
    places = ["posix", "--sidecar", str(folder / "sidecar"), str(folder / "objects")]
    with started_server(
        lambda port: [program, *keys, "--port", f"127.0.0.1:{port}", *places], folder
    ) as used:
        yield connection_to(used)


def make_bucket(connection: S3Connection) -> str:
    """Return the name of a new bucket, one that no other test knows."""
    name = f"bucket-{uuid.uuid4().hex}"
    with contextlib.closing(connection.client()) as client:
        client.create_bucket(Bucket=name)
    return name


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Accept every connection and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@dataclass(frozen=True, kw_only=True)
class CannedAnswer:
    """What a failing server says to everything; `claimed_length` may be more than it sends."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    claimed_length: int | None = None
    stalls: bool = False


@contextlib.contextmanager
def answering_server(answer: CannedAnswer) -> Iterator[tuple[int, list[str]]]:
    """Give the same answer to all requests; yields its port and the requests it has seen."""
    seen: list[str] = []
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            seen.append(f"{self.command} {self.path}")
            # Closing with a body unread resets the connection, and the answer may be lost with it.
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = answer.claimed_length
            self.send_header("Content-Length", str(len(answer.body) if length is None else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
                self.wfile.flush()
            if answer.stalls:
                released.wait(30)
            self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1], seen
        finally:
            released.set()
            server.shutdown()
            thread.join()
