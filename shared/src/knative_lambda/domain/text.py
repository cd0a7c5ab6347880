"""Values that people send: storable text, times, whole numbers, paths of one tree."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_FILES = 1000
_MAX_PATH_LENGTH = 255
# In an image layer, this prefix of a name removes the file with the rest of it.
_WHITEOUT = ".wh."
_PATH = re.compile(r"[^\x00-\x1f\x7f\\/]+(/[^\x00-\x1f\x7f\\/]+)*")


def checked_text(text: str) -> str:
    """Return the text; `ValueError` for half a surrogate pair, which no encoding takes."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is not valid Unicode")
    return text


def checked_time(value: object) -> object:
    """Parse a time from its text; `ValueError` where that is impossible."""
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a time such as 2026-01-31T14:00:01Z") from None
    if time.tzinfo is None:
        raise ValueError("needs a time zone, such as 2026-01-31T14:00:01Z")
    if not MINYEAR < time.year < MAXYEAR:
        # In another zone, or a moment later, it may lie where Python has no time.
        raise ValueError("must lie in the years 2 to 9998")
    return time


def whole_number(value: object) -> object:
    """Return a number without a fraction as an integer, and everything else unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check_paths(paths: Collection[str]) -> None:
    """Raise `ValueError` unless the paths are relative, inside, and can all exist together."""
    if not 1 <= len(paths) <= _MAX_FILES:
        raise ValueError(f"needs 1 to {_MAX_FILES} files")
    for path in paths:
        segments = path.split("/")
        inside = _PATH.fullmatch(path) and {".", ".."}.isdisjoint(segments)
        if len(path) > _MAX_PATH_LENGTH or not inside:
            raise ValueError(f"{path[:60]!r} is not a relative path inside the source")
        if any(segment.startswith(_WHITEOUT) for segment in segments):
            raise ValueError(f"{path[:60]!r} has a name that begins with {_WHITEOUT}; rename it")
        for end in range(1, len(segments)):
            if (folder := "/".join(segments[:end])) in paths:
                raise ValueError(f"{folder[:60]!r} cannot be both a file and a folder")
