"""What is said of deployments on the embedded platform."""

from __future__ import annotations

from collections import Counter

from tests.bench.costs import Costs, Delivered
from tests.bench.document import refusal_rows, wake_rows
from tests.bench.samples import Table
from tests.bench.waking import ANSWER, CODE, FIRST, NEXT, START, Waking
from tests.helpers.lambda_platform import BUILD_START


def test_deliveries_that_only_wake_are_told_from_those_that_are_answered():
    costs = Costs()
    delivered = {
        Delivered("build-start", BUILD_START, "200"): 1,
        Delivered("publish", BUILD_START, "204"): 1,
    }
    costs.add(Counter(delivered), {"build-start": 0.5, "publish": 0.25})

    row = wake_rows(Waking(costs={CODE: costs})).splitlines()[-1]
    assert row == f"| {CODE} | 2.00 | 1.00 | 0.50 | 0.25 |  |"


def test_a_function_that_is_woken_has_a_row_with_its_answer():
    table = Table()
    for what, value in ((START, 300), (FIRST, 100), (NEXT, 1.5), (ANSWER, 204)):
        table[what].add(value)

    row = refusal_rows(Waking(woken={"publish": table})).splitlines()[-1]
    assert row == "| publish | 300 | 100 | 1.50 | 204 |"


def test_a_name_without_values_was_not_measured():
    table = Table()
    assert table["asked for"].values == []
    assert "asked for" not in table
