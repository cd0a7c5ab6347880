"""Polling with a deadline, for what only the outside of the platform tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.05


def wait_for(look: Callable[[], T], *, within: float = PATIENCE_SECONDS) -> T:
    """Return the first answer of `look` that is true; what it said last is in the failure."""
    deadline = time.monotonic() + within
    while not (answer := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s; the last answer was {answer!r}")
        time.sleep(POLL_SECONDS)
    return answer
