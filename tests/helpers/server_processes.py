"""Servers that are programs of others, on free ports of loopback."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_SECONDS = 30
START_ATTEMPTS = 3


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def started_server(
    command: Callable[[int], list[str]], folder: Path, port: int | None = None
) -> Iterator[int]:
    """Run a server on this port, or a free one; its port, once it answers.

    The folder has its log, `server-*.log`.
    """
    log = folder / f"server-{uuid.uuid4().hex}.log"
    for _ in range(START_ATTEMPTS):
        used = port or free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(used), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            # False: somebody else took the port in between, so another one is tried.
            if _answers(process, used):
                yield used
                return
        finally:
            process.terminate()
            process.wait(timeout=20)
    raise AssertionError(f"{command(0)[0]} does not start:\n{log.read_text()}")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process.poll() is None
        time.sleep(0.02)
    return False
