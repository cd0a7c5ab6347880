"""When each part of a log file was written, in a file beside it: `<log>.times`.

The log itself holds what the program wrote, byte for byte.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Offset in the log, nanoseconds since 1970, and whether a process began here.
_RECORD = struct.Struct("<QQ?")
RECORD_BYTES = _RECORD.size


def times_path(log: Path) -> Path:
    """Return the path of the times of a log file."""
    return log.with_name(log.name + ".times")


def time_record(offset: int, nanoseconds: int, *, begins: bool) -> bytes:
    """Return the record for the bytes that follow an offset of the log."""
    return _RECORD.pack(offset, nanoseconds, begins)


@dataclass(frozen=True, slots=True)
class LogTimes:
    """The times of the bytes of a log: each record applies from its offset on."""

    offsets: list[int]
    times: list[int]
    begins: list[int]
    """Offsets at which a process began."""

    def at(self, offset: int) -> int:
        """Return when the byte at an offset was written, in nanoseconds since 1970."""
        return self.times[max(0, bisect_right(self.offsets, offset) - 1)]

    def first_since(self, time: int) -> int | None:
        """Return the offset of the first byte written at a time or later, if there is one."""
        pairs = zip(self.offsets, self.times, strict=True)
        return next((offset for offset, written in pairs if written >= time), None)


def read_log(logs: Iterable[Path]) -> tuple[bytes, LogTimes]:
    """Return the content of consecutive log files, and its times.

    Bytes without a record get the time at which their file was last modified.
    """
    text, times = b"", LogTimes([], [], [])
    for log in logs:
        records, base = _read_records(log), len(text)
        if not records or records[0][0] > 0:
            records.insert(0, (0, log.stat().st_mtime_ns, False))
        times.offsets.extend(base + offset for offset, _, _ in records)
        times.times.extend(time for _, time, _ in records)
        times.begins.extend(base + offset for offset, _, begins in records if begins)
        text += log.read_bytes()
    return text, times


def _read_records(log: Path) -> list[tuple[int, int, bool]]:
    try:
        data = times_path(log).read_bytes()
    except FileNotFoundError:
        return []
    # The last record may be incomplete.
    return list(_RECORD.iter_unpack(data[: len(data) // RECORD_BYTES * RECORD_BYTES]))
