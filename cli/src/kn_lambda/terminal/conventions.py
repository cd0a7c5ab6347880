"""The variables by which people tell all programs how to use their terminal."""

from __future__ import annotations

import os


def wants_plain_text() -> bool:
    """Whether to send lines of text alone: to a screen reader, or to a terminal without movement.

    No colours, no spinner, nothing that is drawn again.
    """
    return _is_set("KN_LAMBDA_PLAIN") or _variable("TERM") == "dumb"


def wants_colour(*, is_terminal: bool) -> bool:
    """Whether to send colours, by NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE and CLICOLOR."""
    if _variable("NO_COLOR") or wants_plain_text():
        return False
    if _is_set("FORCE_COLOR") or _is_set("CLICOLOR_FORCE"):
        return True
    return is_terminal and _variable("CLICOLOR") != "0"


def _is_set(name: str) -> bool:
    return _variable(name) not in {"", "0"}


def _variable(name: str) -> str:
    return os.environ.get(name, "")  # noqa: TID251 # conventions of terminals, not settings of ours
