"""What a process has started, as Linux tells it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.helpers.changing_folders import contents_of


def children_of(pid: int) -> list[int]:
    """Children of all threads of a process; of one that has ended, none."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for _, children in contents_of(Path(f"/proc/{pid}/task").glob("*/children")):
            found += map(int, children.split())
    return found
