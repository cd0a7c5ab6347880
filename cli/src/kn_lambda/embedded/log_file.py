"""A log file that takes at most twice its limit on disk."""

from __future__ import annotations

import os
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE_FILE = 0o600


class RotatingLog:
    """Appends bytes to a file of its owner alone; the full file is kept once, as `<name>.1`."""

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self._path = path
        self._limit = limit_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open(path)
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append; a disk that is full loses log lines, never the process that writes them."""
        if self._file.closed:
            return
        try:
            if self._size + len(data) > self._limit:
                self._rotate()
            self._file.write(data)
            self._size += len(data)
        except OSError:
            return

    def close(self) -> None:
        """Close the file; later writes are dropped."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._file = _open(self._path)
        self._size = 0


def _open(path: Path) -> FileIO:
    file = FileIO(path, "ab", opener=partial(os.open, mode=_PRIVATE_FILE))
    os.fchmod(file.fileno(), _PRIVATE_FILE)
    return file
