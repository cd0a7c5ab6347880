from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kn_lambda.terminal.ages import age, humanised
from kn_lambda.terminal.tables import format_fields, print_table

_NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=0.9), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=5, seconds=30), "5m30s"),
        (timedelta(minutes=10, seconds=30), "10m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=7, minutes=59), "7h59m"),
        (timedelta(hours=8, minutes=59), "8h"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=2), "2d"),
        (timedelta(days=7, hours=23), "7d23h"),
        (timedelta(days=8, hours=23), "8d"),
        (timedelta(days=729), "729d"),
        (timedelta(days=730), "2y"),
        (timedelta(days=800), "2y70d"),
        (timedelta(days=365 * 9 + 5), "9y"),
    ],
    ids=str,
)
def test_durations_read_as_kubectl_writes_them(duration, text):
    assert humanised(duration.total_seconds()) == text


def test_an_age_counts_from_a_time_of_any_zone():
    assert age("2026-01-15T11:59:18Z", now=_NOW) == "42s"
    assert age("2026-01-15T12:59:18+01:00", now=_NOW) == "42s"
    assert age(None) == "<unknown>"


def test_a_table_aligns_its_columns_and_ends_no_line_in_spaces(capsys):
    print_table(("name", "url"), [("a", ""), ("longer", "http://x")])
    assert capsys.readouterr().out == "NAME     URL\na\nlonger   http://x\n"


def test_fields_without_a_value_are_left_out():
    assert format_fields([("Name", "a"), ("URL", ""), ("Phase", "Ready")]) == (
        "Name:    a\nPhase:   Ready"
    )
