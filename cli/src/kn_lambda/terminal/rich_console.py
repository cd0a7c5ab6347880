"""How we use rich: it lays out and redraws, but never interprets text.

Importing it takes longer than most commands, so only what is drawn on a terminal does.
"""

from __future__ import annotations

from rich.console import Console
from rich.style import Style
from rich.text import Text

from kn_lambda.overriding import override
from kn_lambda.terminal.conventions import wants_colour
from kn_lambda.terminal.output import Styled, plain, printable, printable_line


class _Console(Console):
    @override
    def show_cursor(self, show: bool = True) -> bool:
        """Never hide the cursor: whoever kills or suspends the command would not get it back."""
        return False


def console(*, err: bool = False) -> Console:
    """Return a console on a terminal, stdout or stderr."""
    return _Console(
        stderr=err,
        force_terminal=True,
        color_system="auto" if wants_colour(is_terminal=True) else None,
        markup=False,
        emoji=False,
        highlight=False,
    )


def as_text(*parts: str | Styled, err: bool = False) -> Text:
    """Return text that may contain newlines; brackets and escape sequences in it do nothing."""
    return Text.assemble(*((printable(plain(part), err=err), _style(part)) for part in parts))


def as_line(part: str | Styled, *, err: bool = False) -> Text:
    """Return text for one cell of a table."""
    return Text(printable_line(plain(part), err=err), _style(part))


def _style(part: str | Styled) -> Style:
    if isinstance(part, str):
        return Style.null()
    return Style(color=part.fg, bold=part.bold, dim=part.dim)
