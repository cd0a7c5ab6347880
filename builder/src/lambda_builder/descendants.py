"""Ends every process that descends from this one, also those that left its process groups."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from lambda_builder.errors import UserError

_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.005
_FIRST_PROCESS = 1


def end_descendants() -> None:
    """Return when there are none; `ProcessesLeft` if they come faster than they can be ended.

    This process has to `adopt_orphans`: as long as a descendant is left, it then has a child.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _has_children():
        if time.monotonic() > deadline:
            raise UserError("ProcessesLeft", "what the packages started cannot be ended")
        if os.getpid() == _FIRST_PROCESS:
            # In a container of its own it ends all others at once, even while they fork.
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        for process in _descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _has_children() -> bool:
    """Whether there are any, after those that ended are gone."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The second field is a name of any characters, in parentheses.
            parent = int(status.read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    found, pending = list[int](), [os.getpid()]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found
