"""Why a request gets no process."""

from __future__ import annotations


class RevisionRetiredError(Exception):
    """Traffic moved to another revision while the request waited: ask that one."""


class TooManyRequestsError(Exception):
    """As many requests as may wait do so already."""


class CrashLoopError(Exception):
    """The program fails again and again."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds
