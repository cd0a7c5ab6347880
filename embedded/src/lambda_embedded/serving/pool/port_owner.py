"""A port for a process, and whose process listens on it: another may have taken it first.

Columns of `/proc/net/tcp`: proc_net_tcp.rst of the kernel's documentation.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.launch import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENING = "0A"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_taken_by_others(port: int, holder: int) -> bool:
    """Return whether any process but this one and its descendants listens on a port."""
    listening = set(_listening_sockets(port))
    for process in _family(holder):
        if not listening:
            break
        listening -= set(_sockets_of(process))
    return bool(listening)


def _listening_sockets(port: int) -> Iterator[str]:
    ending = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        with suppress(OSError):  # no Linux, or no such protocol
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and fields[1].endswith(ending):
                    yield fields[9]


def _family(process: int) -> Iterator[int]:
    yield process
    for child in children_of(process):
        yield from _family(child)


def _sockets_of(process: int) -> Iterator[str]:
    with suppress(OSError):  # it may have ended
        for entry in os.scandir(f"/proc/{process}/fd"):
            with suppress(OSError):
                target = os.readlink(entry.path)  # noqa: PTH115  # no path: socket:[inode]
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]
