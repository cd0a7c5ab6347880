"""The memory that the bodies of requests may take while they wait for a process."""

from __future__ import annotations


class HeldBytes:
    """Counts the bytes of all bodies in memory against a limit."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, count: int) -> bool:
        """Count bytes that arrived; return whether more may be read."""
        self._left -= count
        return self._left > 0

    def give_back(self, count: int) -> None:
        """Uncount bytes that were sent on."""
        self._left += count
