"""Processes that an earlier platform left behind when it was killed, found by a variable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKER = "KN_LAMBDA_EMBEDDED"
_POLL_SECONDS = 0.02


def mark(data_folder: Path) -> dict[str, str]:
    """Return the variable by which the next start on this data folder finds a process."""
    return {_MARKER: str(data_folder.resolve())}


async def end_leftovers(data_folder: Path, *, patience_seconds: float = 5.0) -> int:
    """Kill what an earlier platform on this data folder left behind; return how many processes."""
    pids = list(_marked(data_folder))
    deadline = time.monotonic() + patience_seconds
    left = pids
    while left and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _kill_with_group(pid)
        await asyncio.sleep(_POLL_SECONDS)
        left = list(_marked(data_folder))
    return len(pids)


def _kill_with_group(pid: int) -> None:
    group = os.getpgid(pid)
    if group == os.getpgrp():
        os.kill(pid, signal.SIGKILL)
    else:
        os.killpg(group, signal.SIGKILL)


def _marked(data_folder: Path) -> Iterator[int]:
    wanted = f"{_MARKER}={mark(data_folder)[_MARKER]}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end meanwhile, or belong to another user.
        with contextlib.suppress(OSError):
            pid = int(folder.name)
            if pid != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield pid
