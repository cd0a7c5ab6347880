"""Columns of text: as kubectl prints them in pipes, in the width of a terminal there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.terminal.output import Styled, echo, is_drawn, plain, printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

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
    if rows and is_drawn():
        from kn_lambda.terminal.rich_tables import draw_table  # noqa: PLC0415 # slow

        draw_table(headers, rows, prose=prose, indent=indent)
        return
    texts = ([plain(cell) for cell in row] for row in rows)
    echo(_indented(format_table(headers, texts), indent))


def print_fields(fields: Iterable[tuple[str, str | Styled]], *, indent: int = 0) -> None:
    """Print `Name:   value` lines to stdout, without the fields that are empty."""
    if is_drawn():
        from kn_lambda.terminal.rich_tables import draw_fields  # noqa: PLC0415 # slow

        draw_fields(fields, indent=indent)
        return
    texts = ((name, plain(value)) for name, value in fields)
    echo(_indented(format_fields(texts), indent))


def format_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table for stdout in the style of kubectl: aligned columns, headers in capitals."""
    lines = [tuple(header.upper() for header in headers)]
    lines += [tuple(map(printable_line, row)) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def format_fields(fields: Iterable[tuple[str, str]]) -> str:
    """Return `Name:   value` lines for stdout, without the fields that are empty.

    Further lines of a value are indented, so that none looks like a field.
    """
    kept = [(name, printable(value)) for name, value in fields if value]
    width = max((len(name) for name, _ in kept), default=0) + 1
    margin = "\n" + " " * width + _GAP
    return "\n".join(
        f"{name + ':':<{width}}{_GAP}{value}".replace("\n", margin) for name, value in kept
    )


def _indented(text: str, indent: int) -> str:
    return "\n".join(f"{' ' * indent}{line}".rstrip() for line in text.split("\n"))
