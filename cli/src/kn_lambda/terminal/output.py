"""The only module that writes to stdout and stderr; it makes untrusted text safe on a terminal.

Logs, responses, events, records and errors may contain escape sequences that write to the
clipboard, or overwrite or reverse other text. On a terminal they are escaped; in a pipe or a file
all text stays unchanged.
"""

from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from kn_lambda.terminal.conventions import wants_colour, wants_plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    if err and _above:
        _above[-1](parts)
        return
    text = "".join(_coloured(part, err=err) for part in parts)
    # True keeps click from removing colours: those that we want, and in a pipe those of others.
    click.echo(encodable(text, err=err), err=err, nl=nl, color=True)  # noqa: TID251 # safe here


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


def encodable(text: str, *, err: bool = False) -> str:
    """Return text with escapes for what the stream cannot hold, such as half a surrogate pair."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def plain(part: str | Styled) -> str:
    """Return the text without its style."""
    return part if isinstance(part, str) else part.text


def is_drawn(*, err: bool = False) -> bool:
    """Whether the stream is a terminal whose user wants tables that fit and lines that change."""
    return _is_terminal(err=err) and not wants_plain_text()


@contextlib.contextmanager
def lines_go_to(show: Callable[[tuple[str | Styled, ...]], None]) -> Iterator[None]:
    """Hand everything for stderr to `show`, which prints it above what it redraws."""
    _above.append(show)
    try:
        yield
    finally:
        _above.remove(show)


_above: list[Callable[[tuple[str | Styled, ...]], None]] = []


def _is_terminal(*, err: bool = False) -> bool:
    stream = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty()


def _escaped(text: str, what: re.Pattern[str]) -> str:
    return what.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _coloured(part: str | Styled, *, err: bool) -> str:
    text = printable(plain(part), err=err)
    if isinstance(part, str) or not wants_colour(is_terminal=_is_terminal(err=err)):
        return text
    return click.style(text, fg=part.fg, bold=part.bold, dim=part.dim)
