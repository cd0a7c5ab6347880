"""The lines of a file of requirements and of all files that it includes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from installer_errors import RecipeError
from source_text import LOCK_BYTES, read_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INCLUDE = re.compile(r"(-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(\S+)")
_COMMENT = re.compile(r"(?:^|\s)#.*")

_MAX_FILES = 100
# Hashes have a line each.
_MAX_LINES = 200_000
_MAX_LINE_CHARACTERS = 64 * 1024


class Line(NamedTuple):
    """What uv reads as one line."""

    text: str
    place: str
    is_constraint: bool


def read_lines(file: Path, folder: Path) -> Iterator[Line]:
    """Yield each line but includes, which are followed inside the folder."""
    pending, seen, lines = [(file, False)], {(file, False)}, 0
    while pending:
        current, is_constraint = pending.pop()
        for number, text in _logical_lines(current):
            lines += 1
            place = f"{current.relative_to(folder)} line {number}"
            if lines > _MAX_LINES or len(seen) > _MAX_FILES:
                message = (
                    f"{current.name}: more than {_MAX_LINES} lines, or {_MAX_FILES} files of them"
                )
                raise RecipeError("InvalidRequirements", message)
            if len(text) > _MAX_LINE_CHARACTERS:
                message = f"{place} is longer than {_MAX_LINE_CHARACTERS} characters"
                raise RecipeError("InvalidRequirements", message)
            if include := _INCLUDE.match(text):
                limits = is_constraint or include[1] in {"-c", "--constraint"}
                included = (_included(include[2], current, folder, place), limits)
                if included not in seen:
                    seen.add(included)
                    pending.append(included)
            else:
                yield Line(text, place, is_constraint)


def is_empty(file: Path) -> bool:
    """Whether a file of requirements names nothing."""
    return not any(physical_lines(file))


def physical_lines(file: Path) -> Iterator[str]:
    """Yield the lines as they are in the file, less empty ones and remarks."""
    for line in read_text(file, LOCK_BYTES).splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield stripped


def _logical_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield lines that go on after a backslash as one, with the number of the first."""
    parts: list[str] = []
    begin = 0
    for number, line in enumerate([*read_text(file, LOCK_BYTES).splitlines(), ""], 1):
        begin = begin if parts else number
        goes_on = line.endswith("\\") and not line.lstrip().startswith("#")
        parts.append(_COMMENT.sub("", line[:-1] if goes_on else line))
        if goes_on:
            continue
        if text := " ".join(" ".join(parts).split()):
            yield begin, text
        parts = []


def _included(name: str, file: Path, folder: Path, place: str) -> Path:
    try:
        included = (file.parent / name).resolve()
        is_there = included.is_file()
    # Too long, not text of a file system, or a link that leads to itself.
    except (OSError, ValueError, RuntimeError):
        message = f"{place}: {shown(name)} cannot be the name of a file"
        raise RecipeError("InvalidRequirements", message) from None
    if not included.is_relative_to(folder):
        raise RecipeError("InvalidRequirements", f"{place}: {shown(name)} is outside the source")
    if not is_there:
        raise RecipeError("InvalidRequirements", f"{place}: there is no file {shown(name)}")
    return included
