"""Columns of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "   "


def format_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return lines with aligned columns, headers in capitals, as kubectl prints them."""
    lines = [tuple(header.upper() for header in headers), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def format_fields(fields: Iterable[tuple[str, str]]) -> str:
    """Return `Name:   value` lines; fields without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0) + 1
    return "\n".join(f"{name + ':':<{width}}   {value}" for name, value in shown)
