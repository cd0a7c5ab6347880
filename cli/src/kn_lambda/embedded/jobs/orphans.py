"""Ends what a container started and left behind in a session of its own."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

POD_MARKER = "KN_LAMBDA_POD_UID"
_TRIES = 50
_PAUSE_SECONDS = 0.02


def end_orphans(pod_uid: str) -> None:
    """Kill every process that carries the pod's mark in its environment."""
    for _ in range(_TRIES):
        orphans = _marked(pod_uid)
        if not orphans:
            return
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _marked(pod_uid: str) -> list[int]:
    wanted = f"{POD_MARKER}={pod_uid}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end, or belong to another user, while we look.
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
