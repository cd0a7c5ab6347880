"""When what a log file holds was written, in a file beside it: `<log>.times`.

The log itself stays what the program wrote, byte for byte.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Offset in the log, nanoseconds since 1970, and whether a process began here.
_RECORD = struct.Struct("<QQ?")
RECORD_BYTES = _RECORD.size


def times_path(log: Path) -> Path:
    """Where the times of a log file are."""
    return log.with_name(log.name + ".times")


def time_record(offset: int, nanoseconds: int, *, begins: bool) -> bytes:
    """Return the record of what follows an offset of the log."""
    return _RECORD.pack(offset, nanoseconds, begins)


@dataclass(frozen=True, slots=True)
class LogTimes:
    """The times of one log file."""

    offsets: list[int]
    times: list[int]
    begins: list[int]
    """Offsets at which a process began."""
    otherwise: int
    """The time of what has no record: no later than the file's last change."""

    def at(self, offset: int) -> int:
        """Return when the byte at an offset was written, in nanoseconds since 1970."""
        index = bisect_right(self.offsets, offset) - 1
        return self.times[index] if index >= 0 else self.otherwise

    def processes_before(self, offset: int) -> int:
        """Return how many processes had begun where the byte at an offset was written."""
        return bisect_right(self.begins, offset)


def read_times(log: Path) -> LogTimes:
    """Return the times of a log file; a record that was cut off is passed over."""
    try:
        data = times_path(log).read_bytes()
    except FileNotFoundError:
        data = b""
    records = list(_RECORD.iter_unpack(data[: len(data) // RECORD_BYTES * RECORD_BYTES]))
    return LogTimes(
        offsets=[offset for offset, _, _ in records],
        times=[time for _, time, _ in records],
        begins=[offset for offset, _, begins in records if begins],
        otherwise=log.stat().st_mtime_ns,
    )
