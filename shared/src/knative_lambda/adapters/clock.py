"""The machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Time in UTC."""

    def now(self) -> datetime:
        """Now, with a time zone."""
        return datetime.now(UTC)
