"""Times as Kubernetes writes them: UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, as in `startTime`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(then: str) -> float:
    """Seconds since a time of `timestamp`; never negative."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(then)).total_seconds())
