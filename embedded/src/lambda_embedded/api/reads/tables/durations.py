"""How long ago something was, as kubectl shows it (`duration.HumanDuration`)."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400
# Up to how many of which unit, and the unit in which the rest is shown.
_FORMS = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)
_CLOCKS_DIFFER_SECONDS = 1


def human_duration(seconds: int) -> str:
    """Return two or three figures of a duration: `95s`, `5m20s`, `3d4h`."""
    if seconds < 0:
        return "<invalid>" if seconds < -_CLOCKS_DIFFER_SECONDS else "0s"
    for limit, unit, letter, rest_unit, rest_letter in _FORMS:
        if seconds < limit:
            count, rest = divmod(seconds, unit)
            rest = rest // rest_unit if rest_unit else 0
            return f"{count}{letter}{rest}{rest_letter}" if rest else f"{count}{letter}"
    return f"{seconds // _YEAR}y"


def since(time: object, now: datetime) -> str:
    """Return how long ago a time of an object was."""
    if not time:
        return "<unknown>"
    found = instant(time)
    return "<invalid>" if found is None else human_duration(int((now - found).total_seconds()))


def instant(time: object) -> datetime | None:
    """Parse a time of an object; None if it is none."""
    try:
        found = datetime.fromisoformat(str(time))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
