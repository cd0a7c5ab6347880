"""The lines of a log."""

from __future__ import annotations


def log_lines(text: str) -> list[str]:
    r"""Return the lines as they were written; unlike `splitlines`, only `\n` ends one."""
    return text.removesuffix("\n").split("\n") if text else []
