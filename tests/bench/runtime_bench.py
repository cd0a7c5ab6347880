"""The Python runtime beside functions-framework under gunicorn: start and requests per second.

Run as `python -m tests.bench.runtime_bench ENVIRONMENT`, where ENVIRONMENT has exactly the
packages of runtimes/python/requirements.txt, compiled. Prints JSON with the medians and ratios.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.process_accounts import pss_mib
from tests.bench.samples import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[2]
HANDLER = "def handler(event):\n    return None\n"
CORO = "async def handler(event):\n    return None\n"
# The framework's own shape of the same function.
FRAMEWORK_HANDLER = (
    "import functions_framework\n\n@functions_framework.cloud_event\n"
    "def handler(event):\n    return None\n"
)
EVENT = (
    b"POST / HTTP/1.1\r\nhost: localhost\r\n"
    b"ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /bench\r\n"
    b"ce-type: com.example.measured\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
    b"connection: close\r\n\r\n{}"
)
STARTS, LOADS, LOAD_SECONDS, CONNECTIONS = 11, 5, 3, 16


class Server(NamedTuple):
    """How one of the servers compared is started."""

    source: str
    command: Callable[[Path, Path, int], list[str]]


def _ours(environment: Path, _folder: Path, _port: int) -> list[str]:
    server = REPOSITORY / "runtimes" / "python" / "server" / "server.py"
    return [str(environment / "bin" / "python"), str(server)]


def _framework(environment: Path, folder: Path, port: int) -> list[str]:
    program = str(environment / "bin" / "functions-framework")
    source = str(folder / "source" / "main.py")
    options = ["--target", "handler", "--source", source, "--signature-type", "cloudevent"]
    return [program, *options, "--host", "127.0.0.1", "--port", str(port)]


SERVERS = {
    "runtime": Server(HANDLER, _ours),
    "runtime, async handler": Server(CORO, _ours),
    "runtime, functions-framework handler": Server(FRAMEWORK_HANDLER, _ours),
    "functions-framework under gunicorn": Server(FRAMEWORK_HANDLER, _framework),
}
BASELINE = "functions-framework under gunicorn"


def _start(server: Server, environment: Path, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "main.py").write_text(server.source)
    port = free_port()
    variables = {"PORT": str(port), "HOST": "127.0.0.1", "FUNCTION_ROOT": str(folder)}
    process = subprocess.Popen(
        server.command(environment, folder, port),
        env={"PATH": "/usr/bin:/bin", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, port


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_first_answer(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(EVENT)
                if connection.recv(12).startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
                    return
        except ConnectionError:
            time.sleep(0.001)
    raise TimeoutError("the server did not answer within 20 s")


@contextlib.contextmanager
def running(
    server: Server, environment: Path, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that has answered once, and its port."""
    process, port = _start(server, environment, folder)
    try:
        _wait_for_first_answer(port)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def requests_per_second(
    environment: Path, port: int, seconds: float, *, host: str = "localhost"
) -> float:
    """Answers per second of whatever serves `host` on that port."""
    generator = str(Path(__file__).with_name("runtime_load.py"))
    python = str(environment / "bin" / "python")
    arguments = [python, generator, str(port), str(seconds), str(CONNECTIONS), host]
    return float(subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout)


@dataclass
class Comparison:
    """By the name of the server: milliseconds to the first answer, MiB then, requests/s."""

    starts: Table = field(default_factory=Table)
    memory: Table = field(default_factory=Table)
    loads: Table = field(default_factory=Table)


def measure(
    environment: Path, *, starts: int = STARTS, loads: int = LOADS, seconds: float = LOAD_SECONDS
) -> Comparison:
    """Start and load every server; they take turns, so that all see the same machine."""
    found = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(starts):
            for name, server in SERVERS.items():
                begin = time.perf_counter()
                with running(server, environment, Path(folder)) as (process, _port):
                    found.starts[name].add((time.perf_counter() - begin) * 1000)
                    found.memory[name].add(pss_mib(process.pid))
        for _ in range(loads):
            for name, server in SERVERS.items():
                with running(server, environment, Path(folder)) as (_process, port):
                    found.loads[name].add(requests_per_second(environment, port, seconds))
    return found


def _report(found: Comparison) -> dict[str, dict[str, float | str]]:
    start, load = found.starts[BASELINE].median, found.loads[BASELINE].median
    return {
        name: {
            "start_milliseconds": found.starts[name].text(),
            "start_ratio": round(found.starts[name].median / start, 2),
            "requests_per_second": found.loads[name].text(),
            "requests_ratio": round(found.loads[name].median / load, 1),
        }
        for name in SERVERS
    }


if __name__ == "__main__":
    comparison = measure(Path(sys.argv[1]).resolve())
    sys.stdout.write(json.dumps(_report(comparison), indent=2) + "\n")
