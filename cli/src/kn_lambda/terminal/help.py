"""The text of --help in a narrow terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from kn_lambda.overriding import override

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDEST = 80
_NARROWEST = 24
# Below this width, click itself would print lines that are too long.
_NARROW = 60


class _HelpFormatter(click.HelpFormatter):
    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = min(shutil.get_terminal_size().columns, max_width or _WIDEST)
        super().__init__(indent_increment, width or max(columns - 2, _NARROWEST), max_width)

    @override
    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and texts in two columns; in a narrow terminal, the texts below the names."""
        if self.width >= _NARROW:
            super().write_dl(rows, col_max, col_spacing)
            return
        for name, text in rows:
            self.write(f"{'':>{self.current_indent}}{name}\n")
            with self.indentation():
                self.write_text(text)


class HelpContext(click.Context):
    """The context of our commands."""

    formatter_class = _HelpFormatter
