"""A log file that uses at most twice its limit on disk."""

from __future__ import annotations

import contextlib
import os
import time
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING

from lambda_sandbox.log_times import RECORD_BYTES, time_record, times_path

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE_FILE = 0o600
# Writes that are closer together than this share one time.
_ONE_TIME_NANOSECONDS = 1_000_000


class RotatingLog:
    """Appends bytes to a file that only its owner can read; one full file is kept, `<name>.1`.

    Each process has its own; `<name>.times` records when the process began and when it wrote.
    """

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self._path = path
        self._limit = limit_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        self._last_time = 0
        with contextlib.suppress(OSError):  # The same disk may be full.
            self._note_time(begins=True)

    def write(self, data: bytes) -> None:
        """Append; a full disk loses log lines but never stops the process that writes them."""
        if self._file.closed:
            return
        try:
            if self._size + self._times_size + len(data) + RECORD_BYTES > self._limit:
                self._rotate()
            self._note_time()
            self._file.write(data)
            self._size += len(data)
        except OSError:
            return

    def close(self) -> None:
        """Close the file; later writes are dropped."""
        self._file.close()
        self._times.close()

    def _note_time(self, *, begins: bool = False) -> None:
        now = time.time_ns()
        if begins or now - self._last_time >= _ONE_TIME_NANOSECONDS:
            self._times.write(time_record(self._size, now, begins=begins))
            self._times_size += RECORD_BYTES
            self._last_time = now

    def _rotate(self) -> None:
        self.close()
        older = self._path.with_name(self._path.name + ".1")
        self._path.replace(older)
        times_path(self._path).replace(times_path(older))
        self._last_time = 0
        self._open()

    def _open(self) -> None:
        self._file, self._times = _open(self._path), _open(times_path(self._path))
        self._size, self._times_size = self._file.tell(), self._times.tell()


def _open(path: Path) -> FileIO:
    file = FileIO(path, "ab", opener=partial(os.open, mode=_PRIVATE_FILE))
    os.fchmod(file.fileno(), _PRIVATE_FILE)
    return file
