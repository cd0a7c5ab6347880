"""The one way to stdout and stderr: on a terminal, text of others is shown and never obeyed.

Logs, replies, events, records and errors may hold sequences that write the clipboard, paint over
what stands there, or turn it around. Into a pipe or a file everything goes as it is.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

import click

# Control characters, and those of Unicode that nobody sees: they reorder or hide what stands
# around them. Joiners (U+200C, U+200D) stay, since scripts and emoji need them.
_OBEYED = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    r"\u200b\u200e\u200f\u2028-\u202e\u3164\uffa0"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_IN_TEXT = re.compile(rf"{_OBEYED}|\r(?!\n)")
_ON_A_LINE = re.compile(rf"{_OBEYED}|[\t\n\r]")


@dataclass(frozen=True, slots=True)
class Styled:
    """Text that a terminal shows in a colour of ours."""

    text: str
    fg: str | None = None
    bold: bool | None = None
    dim: bool | None = None


def echo(*parts: str | Styled, err: bool = False, nl: bool = True) -> None:
    """Print the parts one after the other; whatever they hold cannot command the terminal."""
    if not _is_terminal(err=err):
        # True keeps click from leaving out what looks like a colour.
        click.echo("".join(map(_plain, parts)), err=err, nl=nl, color=True)  # noqa: TID251 # here
        return
    text = "".join(_coloured(part, err=err) for part in parts)
    click.echo(text, err=err, nl=nl)  # noqa: TID251 # here it is safe


def echo_bytes(content: bytes) -> None:
    """Print what may be no text: byte for byte, or on a terminal as text that ends its line."""
    if not _is_terminal():
        click.echo(content, nl=False)  # noqa: TID251 # here
        return
    text = content.decode(errors="backslashreplace")
    echo(text, nl=not text.endswith("\n"))


def printable(text: str, *, err: bool = False) -> str:
    """Return text as `echo` prints it; where widths matter, before they are counted."""
    return _escaped(text, _IN_TEXT) if _is_terminal(err=err) else text


def printable_on_a_line(text: str, *, err: bool = False) -> str:
    r"""Return text as `printable` does; on a terminal `\t` and `\n` are escaped as well."""
    return _escaped(text, _ON_A_LINE) if _is_terminal(err=err) else text


def _is_terminal(*, err: bool = False) -> bool:
    stream = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty()


def _is_colourless() -> bool:
    return bool(os.environ.get("NO_COLOR"))  # noqa: TID251 # a convention (no-color.org)


def _escaped(text: str, what: re.Pattern[str]) -> str:
    return what.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _plain(part: str | Styled) -> str:
    return part if isinstance(part, str) else part.text


def _coloured(part: str | Styled, *, err: bool) -> str:
    text = printable(_plain(part), err=err)
    if isinstance(part, str) or _is_colourless():
        return text
    return click.style(text, fg=part.fg, bold=part.bold, dim=part.dim)
