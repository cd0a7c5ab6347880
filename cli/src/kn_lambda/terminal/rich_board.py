"""The table of several deployments on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.live import spinner
from kn_lambda.terminal.output import Styled
from kn_lambda.terminal.rich_console import as_line, console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

# Below this width, the outcome takes the place of the step.
_WIDE_ENOUGH = 64


class Row(NamedTuple):
    """One function: `seconds` is None before it begins, `outcome` is empty until it has ended."""

    name: str
    step: str
    seconds: float | None
    outcome: str


def board_table(rows: Iterable[Row]) -> Table:
    """Return the table at this moment, for stderr."""
    is_wide = console(err=True).width >= _WIDE_ENOUGH
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("NAME", no_wrap=True, overflow="ellipsis")
    table.add_column("STEP", no_wrap=True, overflow="ellipsis")
    table.add_column("SECONDS", no_wrap=True, justify="right", min_width=7)
    if is_wide:
        table.add_column("OUTCOME", no_wrap=True, overflow="ellipsis")
    for row in rows:
        name, step = as_line(row.name, err=True), as_line(row.step, err=True)
        seconds = as_line("" if row.seconds is None else f"{row.seconds:.1f}", err=True)
        if is_wide:
            table.add_row(name, step, seconds, _outcome(row))
        else:
            table.add_row(name, _outcome(row) if row.outcome else step, seconds)
    return table


def print_board(rows: Iterable[Row]) -> None:
    """Print the table as it is now."""
    screen = console(err=True)
    screen.print(board_table(rows))


def _outcome(row: Row) -> Text:
    if row.outcome:
        return as_line(judged(row.outcome), err=True)
    return as_line(Styled(spinner(row.seconds) if row.seconds else "", fg="cyan"), err=True)
