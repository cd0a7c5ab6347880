"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether something is as it should be; a warning keeps some things from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What was looked at, what was found, and how to mend it."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""
