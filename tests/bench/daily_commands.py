"""What somebody at a terminal waits for: help, a list, and the answer of what was just saved."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tests.bench.platform_process import Platform
from tests.bench.samples import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BARE = "python -c pass"
HELP = "kn-lambda --help"
LIST = "kn-lambda list"
SAVE_WATCHED = "deploy --watch: save -> new answer"
SAVE_RUN = "run: save -> new answer"
_KN_LAMBDA = (sys.executable, "-m", "kn_lambda")
_HTTP = ("--signature", "http")
_SOURCE = "def handler(request):\n    return {!r}\n"
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.002
# The next save comes when all that the last one started is over.
_REST_SECONDS = 0.5


class Saved(NamedTuple):
    """A command that watches a folder, and where the function of the folder answers."""

    arguments: Sequence[str]
    folder: Path
    url: str
    environment: Mapping[str, str] = {}

    def seconds(self, saves: int) -> Iterator[float]:
        """Save the function again and again, until the new answer comes."""
        main = self.folder / "main.py"
        main.write_text(_SOURCE.format("version 0"))
        with _running(self.arguments, self.environment) as process:
            _await_answer(process, self.url, "version 0")
            for number in range(1, saves + 1):
                time.sleep(_REST_SECONDS)
                begin = time.perf_counter()
                main.write_text(_SOURCE.format(f"version {number}"))
                _await_answer(process, self.url, f"version {number}")
                yield time.perf_counter() - begin


def measure(runs: int) -> Table:
    """Seconds by what is waited for."""
    found = Table()
    with tempfile.TemporaryDirectory() as folder, Platform(Path(folder) / "home") as platform:
        _measure_on_platform(found, runs, platform, Path(folder) / "saved")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        command = ("run", folder, "--port", str(port), "--runtime", "python", *_HTTP)
        saved = Saved(command, Path(folder), f"http://127.0.0.1:{port}/")
        for seconds in saved.seconds(runs):
            found[SAVE_RUN].add(seconds)
    return found


def _measure_on_platform(found: Table, runs: int, platform: Platform, folder: Path) -> None:
    folder.mkdir()
    own = {"KN_LAMBDA_HOME": str(platform.home)}
    url = f"{platform.urls['gateway']}/default/{folder.name}"
    saved = Saved(("deploy", str(folder), "--watch", *_HTTP), folder, url, own)
    for seconds in saved.seconds(runs):
        found[SAVE_WATCHED].add(seconds)
    commands: dict[str, Sequence[str]] = {
        BARE: (sys.executable, "-c", "pass"),
        HELP: (*_KN_LAMBDA, "--help"),
        LIST: (*_KN_LAMBDA, "list"),
    }
    for _ in range(runs):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, **own})  # noqa: TID251
            found[name].add(time.perf_counter() - begin)


@contextlib.contextmanager
def _running(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block is over."""
    process = subprocess.Popen(
        [*_KN_LAMBDA, *arguments],
        env={**os.environ, **environment},  # noqa: TID251
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _await_answer(process: subprocess.Popen[bytes], url: str, expected: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    answer = b""
    while answer != expected.encode():
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} answers {answer[:200]!r}, not {expected!r}")
        time.sleep(_POLL_SECONDS)
        with contextlib.suppress(OSError, http.client.HTTPException):
            answer = _get(url)


def _get(url: str) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", parts.path or "/")
        return connection.getresponse().read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
