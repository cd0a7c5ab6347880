"""The Python runtime beside functions-framework under gunicorn: start and requests per second.

Run as `python tests/bench/runtime_bench.py ENVIRONMENT`, where ENVIRONMENT has exactly the
packages of runtimes/python/requirements.txt, compiled. Prints JSON with the medians and ratios.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    variables = {"PORT": str(port), "HOST": "127.0.0.1", "FUNCTION_ROOT": str(folder)}
    process = subprocess.Popen(
        server.command(environment, folder, port),
        env={"PATH": "/usr/bin:/bin", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, port


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


def _start_milliseconds(server: Server, environment: Path, folder: Path) -> float:
    begin = time.perf_counter()
    process, port = _start(server, environment, folder)
    try:
        _wait_for_first_answer(port)
        return (time.perf_counter() - begin) * 1000
    finally:
        process.terminate()
        process.wait()


def _requests_per_second(server: Server, environment: Path, folder: Path) -> float:
    process, port = _start(server, environment, folder)
    try:
        _wait_for_first_answer(port)
        generator = str(Path(__file__).with_name("runtime_load.py"))
        python = str(environment / "bin" / "python")
        arguments = [python, generator, str(port), str(LOAD_SECONDS), str(CONNECTIONS)]
        return float(subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout)
    finally:
        process.terminate()
        process.wait()


def measure(environment: Path) -> dict[str, dict[str, float]]:
    """Medians per server, and their ratios to the baseline; the servers take turns."""
    starts: dict[str, list[float]] = {name: [] for name in SERVERS}
    loads: dict[str, list[float]] = {name: [] for name in SERVERS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(STARTS):
            for name, server in SERVERS.items():
                starts[name].append(_start_milliseconds(server, environment, Path(folder)))
        for _ in range(LOADS):
            for name, server in SERVERS.items():
                loads[name].append(_requests_per_second(server, environment, Path(folder)))
    return {name: _summary(starts, loads, name) for name in SERVERS}


def _summary(
    starts: dict[str, list[float]], loads: dict[str, list[float]], name: str
) -> dict[str, float]:
    start, load = statistics.median(starts[name]), statistics.median(loads[name])
    return {
        "start_milliseconds": round(start, 1),
        "start_ratio": round(start / statistics.median(starts[BASELINE]), 2),
        "requests_per_second": round(load),
        "requests_ratio": round(load / statistics.median(loads[BASELINE]), 1),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]).resolve()), indent=2) + "\n")
