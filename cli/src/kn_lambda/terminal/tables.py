"""Columns of text, aligned as kubectl aligns them; on a terminal in colours, and in its width."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from kn_lambda.terminal.output import Styled, echo, is_drawn, plain, printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    Line = list[str | Styled]

_GAP = "   "


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str | Styled]],
    *,
    prose: Collection[str] = (),
    indent: int = 0,
) -> None:
    """Print a table to stdout; `prose` names the columns that a narrow terminal may fold."""
    rows = list(rows)
    lines = list(_table_lines(headers, rows, " " * indent))
    if is_drawn() and not _fit(lines):
        from kn_lambda.terminal.rich_tables import draw_table  # noqa: PLC0415 # slow

        draw_table(headers, rows, prose=prose, indent=indent)
        return
    for line in lines:
        echo(*line)


def print_fields(fields: Iterable[tuple[str, str | Styled]], *, indent: int = 0) -> None:
    """Print `Name:   value` lines to stdout, without the fields that are empty."""
    fields = list(fields)
    lines = list(_field_lines(fields, " " * indent))
    if is_drawn() and not _fit(lines):
        from kn_lambda.terminal.rich_tables import draw_fields  # noqa: PLC0415 # slow

        draw_fields(fields, indent=indent)
        return
    for line in lines:
        echo(*line)


def format_fields(fields: Iterable[tuple[str, str]]) -> str:
    """Return the lines that `print_fields` prints into a pipe."""
    return "\n".join("".join(map(plain, line)) for line in _field_lines(fields, ""))


def _table_lines(
    headers: Sequence[str], rows: Iterable[Sequence[str | Styled]], margin: str
) -> Iterator[Line]:
    lines: list[Line] = [[Styled(header.upper(), bold=True) for header in headers]]
    lines += [[_with(printable_line(plain(cell)), cell) for cell in row] for row in rows]
    widths = [max(len(plain(line[column])) for line in lines) for column in range(len(headers))]
    for line in lines:
        while line and not plain(line[-1]):
            line.pop()
        parts: Line = [margin]
        for cell, width in zip(line, widths, strict=False):
            parts += [cell, " " * (width - len(plain(cell))), _GAP]
        yield parts[:-2]


def _field_lines(fields: Iterable[tuple[str, str | Styled]], margin: str) -> Iterator[Line]:
    """Further lines of a value are indented, so that none looks like a field."""
    kept = [(name, value) for name, value in fields if plain(value)]
    width = max((len(name) for name, _ in kept), default=0) + 1
    deeper = f"\n{margin}{' ' * width}{_GAP}"
    for name, value in kept:
        text = printable(plain(value)).replace("\n", deeper)
        yield [margin, f"{name + ':':<{width}}{_GAP}", _with(text, value)]


def _with(text: str, part: str | Styled) -> str | Styled:
    return text if isinstance(part, str) else replace(part, text=text)


def _fit(lines: Iterable[Line]) -> bool:
    """Whether a terminal shows each line on one line: as characters, all as wide as an "a"."""
    columns = shutil.get_terminal_size().columns
    texts = ("".join(map(plain, line)).split("\n") for line in lines)
    return all(text.isascii() and len(text) <= columns for parts in texts for text in parts)
