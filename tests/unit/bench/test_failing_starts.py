"""How a start that fails is summed up, and when its process ended."""

from __future__ import annotations

from tests.bench.bars import failing_bar
from tests.bench.document import failing_rows
from tests.bench.failing_starts import FIRST, UPDATE, FailingStarts, by_the_kubelet, by_the_watch
from tests.bench.timeline import Seen

FOUND = FailingStarts(
    {
        ("python syntax", FIRST): 0.5,
        ("python syntax", UPDATE): 0.7,
        ("node killed", FIRST): 4.0,
        ("node killed", UPDATE): 6.0,
    }
)


def test_a_bar_is_about_the_worst_of_all_kinds():
    row = failing_bar(FOUND, 5)
    assert (row.is_met, failing_bar(FOUND, 6).is_met) == (False, True)
    assert row.measured == f"2.35 s, worst of 2 kinds 6.00 s (node killed, {UPDATE})"


def test_a_table_has_a_row_for_each_language():
    rows = failing_rows(FOUND).splitlines()[2:]
    assert rows == ["| nodejs | 4.00 | 6.00 |", "| python | 0.50 | 0.70 |"]


def test_the_first_end_of_a_process_counts():
    first, second = ({"finishedAt": f"2026-01-31T12:00:0{number}Z"} for number in (1, 7))
    status = {
        "name": "user-container",
        "state": {"terminated": second},
        "lastState": {"terminated": first},
    }
    seen = Seen(9.0, "Pod", {"metadata": {}, "status": {"containerStatuses": [status]}})
    assert by_the_watch(seen) == 9.0
    assert by_the_kubelet(seen) % 60 == 1
