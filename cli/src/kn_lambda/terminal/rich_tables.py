"""Tables and fields on a terminal, in its width."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kn_lambda.terminal.rich_console import as_line, as_text, console

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.console import Console

    from kn_lambda.terminal.output import Styled

_GAP = 3
_DEEPER = 2
# A column of prose is readable from this width on.
_NARROWEST_PROSE = 24


def draw_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str | Styled]],
    *,
    prose: Collection[str],
    indent: int,
) -> None:
    """Draw a table; one that is too wide becomes a list of fields for each row.

    Only columns of `prose` are folded, since people copy names, addresses and images.
    """
    screen = console()
    cells = [[as_line(cell) for cell in row] for row in rows]
    table = _table(headers, cells, prose, room=screen.width - indent)
    if table is not None:
        screen.print(Padding(table, (0, 0, 0, indent), expand=False))
        return
    names = [header.upper() for header in headers]
    for number, row in enumerate(cells):
        if number:
            screen.line()
        _draw(screen, list(zip(names, row, strict=True)), indent=indent)


def _table(
    headers: Sequence[str], rows: list[list[Text]], prose: Collection[str], *, room: int
) -> Table | None:
    """Return a table that fits into `room`, or None."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    needed = _GAP * (len(headers) - 1)
    for number, header in enumerate(headers):
        width = max(len(header), *(row[number].cell_len for row in rows))
        folds = header in prose
        needed += min(width, _NARROWEST_PROSE) if folds else width
        table.add_column(
            header.upper(),
            no_wrap=not folds,
            overflow="fold",
            min_width=None if folds else width,
        )
    for row in rows:
        table.add_row(*row)
    return table if needed <= room else None


def draw_fields(fields: Iterable[tuple[str, str | Styled]], *, indent: int) -> None:
    """Draw `Name:   value` lines; values are folded at their spaces, below each other."""
    _draw(console(), [(name, as_text(value)) for name, value in fields], indent=indent)


def _draw(screen: Console, fields: list[tuple[str, Text]], *, indent: int) -> None:
    kept = [(name, value) for name, value in fields if value.plain]
    width = max((len(name) for name, _ in kept), default=0) + 1 + _GAP
    for name, value in kept:
        _draw_field(screen, Text(f"{name}:"), value, width=width, indent=indent)


def _draw_field(screen: Console, name: Text, value: Text, *, width: int, indent: int) -> None:
    room = screen.width - indent - width
    if any(Text(word).cell_len > room for word in value.plain.split()):
        _draw_below(screen, name, value, indent=indent)
        return
    grid = Table.grid()
    grid.add_column(no_wrap=True, min_width=width)
    grid.add_column(overflow="fold")
    grid.add_row(name, value)
    screen.print(Padding(grid, (0, 0, 0, indent), expand=False))


def _draw_below(screen: Console, name: Text, value: Text, *, indent: int) -> None:
    """Draw a value with a long word below its name; the terminal breaks the word.

    So that it can be copied in one piece: it is an address or an image.
    """
    margin = " " * (indent + _DEEPER)
    screen.print(Padding(name, (0, 0, 0, indent), expand=False))
    for line in value.plain.split("\n"):
        parts = textwrap.wrap(
            line,
            screen.width,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for part in parts:
            screen.print(Text(part), soft_wrap=True)
