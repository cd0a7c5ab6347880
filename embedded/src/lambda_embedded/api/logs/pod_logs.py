"""Logs of containers, from the files that the platform writes them to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_sandbox.log_times import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox.log_times import LogTimes

_NANOSECONDS = 1_000_000_000
# A stamp can be thirty times as long as its line, and a log has millions of lines at most.
_MOST_STAMPED = 100_000


@dataclass(frozen=True, slots=True)
class LogChoice:
    """Which lines of a log to return; a line belongs to where it begins."""

    lines: int | None = None
    """At most this many, the last ones."""
    since: int = 0
    """Only lines written at this time or later, in nanoseconds since 1970."""
    stamped: bool = False
    """Whether each line begins with its time; limited to the last 100,000."""
    process: int | None = None
    """Only the lines of one process, counted from the oldest known."""


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
        """Whether the container has a log, which may be empty."""
        return self.path(namespace, pod, container).exists()

    def tail(self, namespace: str, pod: str, container: str, choice: LogChoice) -> bytes:
        """Return the chosen lines."""
        text, times = read_log(self._files(namespace, pod, container))
        start, end = 0, len(text)
        if choice.process is not None:
            borders = [0, *times.begins, len(text)]
            start, end = (borders[choice.process + step] for step in (0, 1))
        if choice.since:
            since = times.first_since(choice.since)
            start = end if since is None else max(start, since)
        start, end = (_line_start(text, place) for place in (start, end))
        lines = choice.lines
        if choice.stamped:
            lines = min(_MOST_STAMPED, _MOST_STAMPED if lines is None else lines)
        start = _last_lines(text, start, end, lines)
        return _stamped(text, start, end, times) if choice.stamped else text[start:end]

    def processes(self, namespace: str, pod: str, container: str) -> list[bool]:
        """Return for each known process whether any of its output is kept.

        The first entry stands for output from before the first known start.
        """
        text, times = read_log(self._files(namespace, pod, container))
        borders = [0, *times.begins, len(text)]
        return [end > begin for begin, end in pairwise(borders)]

    def _files(self, namespace: str, pod: str, container: str) -> list[Path]:
        current = self.path(namespace, pod, container)
        return [path for path in (current.with_name(current.name + ".1"), current) if path.exists()]


def _line_start(text: bytes, place: int) -> int:
    """Return where the first line at or after a position begins."""
    if place == 0 or text[place - 1 : place] == b"\n":
        return place
    return text.find(b"\n", place) + 1 or len(text)


def _last_lines(text: bytes, start: int, end: int, lines: int | None) -> int:
    if lines is None or lines > text.count(b"\n", start, end):
        return start
    # The end of the last line does not end a line before it.
    place = end - 1 if text[end - 1 : end] == b"\n" else end
    for _ in range(lines):
        place = text.rfind(b"\n", start, place)
        if place < 0:
            return start
    return place + 1 if lines else end


def _stamped(text: bytes, start: int, end: int, times: LogTimes) -> bytes:
    stamped, place = bytearray(), start
    for line in BytesIO(text[start:end]):
        stamped += stamp(times.at(place)) + line
        place += len(line)
    return bytes(stamped)


def stamp(nanoseconds: int) -> bytes:
    """Return a time as it is put before a line."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    return f"{_to_the_second(seconds)}.{rest:09}Z ".encode()


@lru_cache(maxsize=16)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


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
