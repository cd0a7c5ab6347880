"""How much of the disk a folder takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 512
_STEP = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def disk_usage(path: Path) -> int:
    """Return the bytes on disk of a file or a folder; 0 if there is none.

    Links are not followed, a file with several names counts once, and what cannot be read counts
    as nothing.
    """
    try:
        status = path.lstat()
    except OSError:
        return 0
    several: dict[tuple[int, int], int] = {}
    total = status.st_blocks * _BLOCK
    folders = [str(path)] if path.is_dir() and not path.is_symlink() else []
    while folders:
        for entry in _entries(folders.pop()):
            try:
                found = entry.stat(follow_symlinks=False)
                is_folder = entry.is_dir(follow_symlinks=False)
            except OSError:
                continue
            if is_folder:
                folders.append(entry.path)
            if found.st_nlink > 1 and not is_folder:
                several[found.st_dev, found.st_ino] = found.st_blocks * _BLOCK
            else:
                total += found.st_blocks * _BLOCK
    return total + sum(several.values())


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def readable_size(size: float) -> str:
    """Return a size as people read it: `512 B`, `3.4 MiB`."""
    for unit in _UNITS[:-1]:
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:.1f} {_UNITS[-1]}"
