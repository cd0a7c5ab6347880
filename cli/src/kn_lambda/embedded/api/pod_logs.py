"""Logs of containers, from the files that the platform writes them to."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kn_lambda.embedded.log_times import read_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kn_lambda.embedded.log_times import LogTimes

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line with its end, when it began, and how many processes had begun before it."""

    text: bytes
    time: int
    process: int


@dataclass(frozen=True, slots=True)
class LogChoice:
    """Which lines of a log are asked for."""

    lines: int | None = None
    """At most so many, the last ones."""
    since: int = 0
    """Those that began at this time or later, in nanoseconds since 1970."""
    stamped: bool = False
    """Whether each begins with its time."""
    process: int | None = None
    """Those of one process alone, by how many had begun before."""


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

    def tail(self, namespace: str, pod: str, container: str, choice: LogChoice) -> bytes:
        """Return the lines that are asked for."""
        kept: deque[bytes] = deque(maxlen=choice.lines)
        for line in self._lines(namespace, pod, container):
            if line.time >= choice.since and choice.process in {None, line.process}:
                kept.append(stamp(line.time) + line.text if choice.stamped else line.text)
        return b"".join(kept)

    def processes(self, namespace: str, pod: str, container: str) -> int | None:
        """Return how many processes began in what is kept; None where nothing is kept.

        Lines of one whose beginning is not kept any more are those of process 0.
        """
        found = None
        for path in self._files(namespace, pod, container):
            found = (found or 0) + len(read_times(path).begins)
        return found

    def has_lines(self, namespace: str, pod: str, container: str, process: int) -> bool:
        """Whether a line of a process is kept."""
        return any(line.process == process for line in self._lines(namespace, pod, container))

    def _files(self, namespace: str, pod: str, container: str) -> list[Path]:
        current = self.path(namespace, pod, container)
        return [path for path in (current.with_name(current.name + ".1"), current) if path.exists()]

    def _lines(self, namespace: str, pod: str, container: str) -> Iterator[LogLine]:
        rest, processes = LogLine(b"", 0, 0), 0
        for path in self._files(namespace, pod, container):
            times, position = read_times(path), 0
            with path.open("rb") as file:
                for text in file:
                    # A line may begin in the older file and end in the newer one.
                    line = (
                        LogLine(rest.text + text, rest.time, rest.process)
                        if rest.text
                        else _line(text, position, times, processes)
                    )
                    position += len(text)
                    rest = LogLine(b"", 0, 0)
                    if text.endswith(b"\n"):
                        yield line
                    else:
                        rest = line
            processes += len(times.begins)
        if rest.text:
            yield rest


def _line(text: bytes, position: int, times: LogTimes, processes: int) -> LogLine:
    return LogLine(text, times.at(position), processes + times.processes_before(position))


def stamp(nanoseconds: int) -> bytes:
    """Return a time as it stands before a line."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{rest:09}Z ").encode()


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
