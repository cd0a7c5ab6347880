"""Polling with a deadline, for what only the outside of the platform tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.05
# Looks take processor time from what is waited for: a long wait may end a twentieth later.
_LONGEST_POLL_SECONDS = 0.25
_POLLS_PER_WAIT = 20


def wait_for(look: Callable[[], T], *, within: float = PATIENCE_SECONDS) -> T:
    """Return the first answer of `look` that is true; what it said last is in the failure."""
    started = time.monotonic()
    while not (answer := look()):
        waited = time.monotonic() - started
        if waited > within:
            raise AssertionError(f"not within {within} s; the last answer was {answer!r}")
        time.sleep(min(max(waited / _POLLS_PER_WAIT, POLL_SECONDS), _LONGEST_POLL_SECONDS))
    return answer
