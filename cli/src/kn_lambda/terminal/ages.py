"""Times as kubectl shows them: `42s`, `5m30s`, `3h`, `12d`."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY

# Below the limit: the unit, and the smaller unit of the remainder, if it is shown.
_STEPS: tuple[tuple[int, tuple[int, str], tuple[int, str] | None], ...] = (
    (2 * _MINUTE, (1, "s"), None),
    (10 * _MINUTE, (_MINUTE, "m"), (1, "s")),
    (3 * _HOUR, (_MINUTE, "m"), None),
    (8 * _HOUR, (_HOUR, "h"), (_MINUTE, "m")),
    (2 * _DAY, (_HOUR, "h"), None),
    (8 * _DAY, (_DAY, "d"), (_HOUR, "h")),
    (2 * _YEAR, (_DAY, "d"), None),
    (8 * _YEAR, (_YEAR, "y"), (_DAY, "d")),
)


def humanised(seconds: float) -> str:
    """Return a duration in at most two units."""
    whole = max(0, int(seconds))
    for limit, (unit, letter), smaller in _STEPS:
        if whole < limit:
            text = f"{whole // unit}{letter}"
            rest = whole % unit // smaller[0] if smaller else 0
            return f"{text}{rest}{smaller[1]}" if smaller and rest else text
    return f"{whole // _YEAR}y"


def age(timestamp: str | None, now: datetime | None = None) -> str:
    """Return the time since an RFC 3339 timestamp; `<unknown>` if there is none."""
    try:
        then = datetime.fromisoformat(timestamp or "")
        return humanised(((now or datetime.now(UTC)) - then).total_seconds())
    except (TypeError, ValueError):
        return "<unknown>"
