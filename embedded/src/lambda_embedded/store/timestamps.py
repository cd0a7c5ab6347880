"""Times as Kubernetes writes them: UTC, in whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, as in `creationTimestamp`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(then: str) -> float:
    """Seconds since a `timestamp`; never negative."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(then)).total_seconds())
