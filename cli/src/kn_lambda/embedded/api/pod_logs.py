"""Logs of containers, from the files that the platform writes them to."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_READ_BYTES = 64 * 1024


class PodLogs:
    """Reads `<folder>/<namespace>/<pod>/<container>.log` and the older `.log.1` that precedes it.

    Names must come from stored objects, never from a request.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, namespace: str, pod: str, container: str) -> Path:
        """Where the newest lines of a container are."""
        return self._folder / namespace / pod / f"{container}.log"

    def exists(self, namespace: str, pod: str, container: str) -> bool:
        """Whether the container ever wrote, or was started to write."""
        return self.path(namespace, pod, container).exists()

    def tail(self, namespace: str, pod: str, container: str, *, lines: int | None) -> bytes:
        """Return the last `lines` lines, or all that is kept."""
        current = self.path(namespace, pod, container)
        files = [current.with_name(current.name + ".1"), current]
        kept: deque[bytes] = deque(maxlen=lines)
        rest = b""
        for path in files:
            try:
                with path.open("rb") as file:
                    # A line may begin in the older file and end in the newer one.
                    while block := file.read(_READ_BYTES):
                        *whole, rest = (rest + block).split(b"\n")
                        kept.extend(line + b"\n" for line in whole)
            except FileNotFoundError:
                continue
        if rest:
            kept.append(rest)
        return b"".join(kept)


class LogFollower:
    """Reads what is appended to a container's log from now on, over rotations of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb") if path.exists() else None
        if self._file is not None:
            self._file.seek(0, 2)

    def read(self) -> bytes:
        """Return what was appended since the last call."""
        data = self._file.read() if self._file is not None else b""
        if not data and self._was_replaced():
            self.close()
            self._file = self._path.open("rb")
            data = self._file.read()
        return data

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _was_replaced(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        return found.st_ino != os.fstat(self._file.fileno()).st_ino
