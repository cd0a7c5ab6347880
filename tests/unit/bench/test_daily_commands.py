"""What is said of the commands of every day."""

from __future__ import annotations

from tests.bench.bars import daily_bars
from tests.bench.daily_commands import BARE, HELP, LIST, SAVE_RUN, SAVE_WATCHED
from tests.bench.document import daily_rows
from tests.bench.samples import Table


def found() -> Table:
    table = Table()
    for name, seconds in (
        (BARE, 0.02),
        (HELP, 0.1),
        (LIST, 0.4),
        (SAVE_WATCHED, 1.5),
        (SAVE_RUN, 2),
    ):
        for each in (0.5 * seconds, seconds, 3 * seconds):
            table[name].add(each)
    return table


def test_the_median_of_each_command_meets_its_bar_or_does_not():
    met = {bar.what: bar.is_met for bar in daily_bars(found())}
    assert met == {HELP: True, LIST: False, SAVE_WATCHED: True, SAVE_RUN: False}


def test_a_table_compares_them_with_an_interpreter_that_does_nothing():
    rows = daily_rows(found()).splitlines()[2:]
    assert rows[1] == f"| {HELP} | 0.10 (0.05 - 0.30) | 5.00x |"
