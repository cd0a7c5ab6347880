"""What the step that downloads tells the step that builds: a file in the folder of downloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FILE = "plan.json"
WHEELS = "wheels"
"""Folder of what packages are built with."""


def write_plan(downloads: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Each entry has `name`, `place` in the folder, `subdirectory` or None, `origin` or None."""
    (downloads / _FILE).write_text(json.dumps(entries))


def read_plan(downloads: Path) -> list[dict[str, Any]]:
    """The entries; none if nothing has to be built."""
    file = downloads / _FILE
    entries: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    return entries
