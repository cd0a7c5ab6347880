"""Lines of a container's log, and what of it to read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# The API puts the time and a space before each line.
_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line; `time` is empty if it was not asked for or is unknown.

    `pod` is empty unless lines of several Pods are shown.
    """

    text: str
    time: str = ""
    pod: str = ""

    def __str__(self) -> str:
        """Return the line as people read it."""
        pod = f"[{self.pod}] " if self.pod else ""
        return f"{pod}{self.time} {self.text}" if self.time else f"{pod}{self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogOptions:
    """Which lines to read, and whether with their times; by default all without."""

    tail: int | None = None
    since_seconds: float | None = None
    timestamps: bool = False

    def query(self, container: str) -> dict[str, str]:
        """Return the query of a request for the log."""
        query = {"container": container}
        if self.tail is not None:
            query["tailLines"] = str(self.tail)
        if self.since_seconds is not None:
            query["sinceSeconds"] = str(max(1, math.ceil(self.since_seconds)))
        if self.timestamps:
            query["timestamps"] = "true"
        return query

    def line(self, line: str, *, pod: str = "") -> LogLine:
        """Return a line of the response in its parts."""
        found = _STAMPED.fullmatch(line) if self.timestamps else None
        if found is None:
            return LogLine(text=line, pod=pod)
        return LogLine(text=found[2], time=found[1], pod=pod)


def log_lines(text: str) -> list[str]:
    r"""Return the lines of a log; unlike `splitlines`, only `\n` ends a line."""
    return text.removesuffix("\n").split("\n") if text else []
