"""The memory that the bodies of requests may take while they wait for a process."""

from __future__ import annotations


class HeldBytes:
    """How much of all bodies is in memory."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, count: int) -> bool:
        """Count what came, and say whether more may be waited for."""
        self._left -= count
        return self._left > 0

    def give_back(self, count: int) -> None:
        """Forget what was passed on."""
        self._left += count
