"""The only module that writes to stdout and stderr; it makes untrusted text safe on a terminal.

Logs, responses, events, records and errors may contain escape sequences that write to the
clipboard, or overwrite or reverse other text. On a terminal they are escaped; in a pipe or a file
all text stays unchanged.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

import click

# Control characters, and the invisible characters of Unicode that reorder or hide other text.
# Joiners (U+200C, U+200D) stay, since scripts and emoji need them.
_UNSAFE = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    r"\u200b\u200e\u200f\u2028-\u202e\u3164\uffa0"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_IN_TEXT = re.compile(rf"{_UNSAFE}|\r(?!\n)")
_ON_A_LINE = re.compile(rf"{_UNSAFE}|[\t\n\r]")


@dataclass(frozen=True, slots=True)
class Styled:
    """Text with a style for terminals."""

    text: str
    fg: str | None = None
    bold: bool | None = None
    dim: bool | None = None


def echo(*parts: str | Styled, err: bool = False, nl: bool = True) -> None:
    """Print the parts on one line; no content can control the terminal."""
    if not _is_terminal(err=err):
        # True keeps click from removing escape sequences of colours.
        click.echo("".join(map(_plain, parts)), err=err, nl=nl, color=True)  # noqa: TID251 # here
        return
    text = "".join(_coloured(part, err=err) for part in parts)
    click.echo(text, err=err, nl=nl)  # noqa: TID251 # here it is safe


def echo_bytes(content: bytes) -> None:
    """Print bytes unchanged, or on a terminal as text that ends with a newline."""
    if not _is_terminal():
        click.echo(content, nl=False)  # noqa: TID251 # here
        return
    text = content.decode(errors="backslashreplace")
    echo(text, nl=not text.endswith("\n"))


def printable(text: str, *, err: bool = False) -> str:
    """Return text as `echo` prints it, for code that counts its characters."""
    return _escaped(text, _IN_TEXT) if _is_terminal(err=err) else text


def printable_line(text: str, *, err: bool = False) -> str:
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
