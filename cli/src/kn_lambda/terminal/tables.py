"""Columns of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.terminal.output import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "   "


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
