"""What is said of deployments on a cluster: bars, and a table for each question."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench.builds import JOB
from tests.bench.cluster.bars import RATIOS, deployment_bars
from tests.bench.cluster.deploying import Deployed
from tests.bench.cluster.moments import TOTAL
from tests.bench.cluster.scenarios import (
    CODE,
    CODE_FIVE,
    NEW,
    NEW_FIVE,
    SCENARIOS,
    STATES,
    UNCHANGED,
    WARM,
    ZERO,
    Deployments,
)
from tests.bench.cluster.section import cost_rows, deployment_rows, moment_rows, pushed_rows
from tests.bench.cluster.yardsticks import PLAIN, WAKE, plain_service
from tests.bench.costs import Costs, Delivered, spent_since
from tests.bench.registry_storage import Pushed
from tests.helpers.lambda_platform import BUILD_START

# plain takes a second and wake takes two, so times are ratios.
EXACT = {
    (NEW, WARM): 1.6, (CODE, WARM): 1.6, (CODE_FIVE, WARM): 1.6, (NEW_FIVE, WARM): 3.0,
    (NEW, ZERO): 4.5, (CODE, ZERO): 4.5, (CODE_FIVE, ZERO): 4.5, (NEW_FIVE, ZERO): 6.0,
    (UNCHANGED, WARM): 0.1, (UNCHANGED, ZERO): 2.4,
}  # fmt: skip


def found(*, more: float = 0.0, pushed: Pushed | None = None, **moments: float) -> Deployments:
    deployments = Deployments()
    deployments.yardsticks[PLAIN].add(1.0)
    deployments.yardsticks[WAKE].add(2.0)
    for key, seconds in EXACT.items():
        deployments.add(key, Deployed({TOTAL: seconds + more, **moments}, pushed))
        delivered = {
            Delivered("build-start", BUILD_START, "200"): 1,
            Delivered("publish", BUILD_START, "204"): 1,
            Delivered("build-complete", BUILD_START, "204"): 1,
            Delivered("build-complete", "other", "204"): 1,
        }
        deployments.costs[key] = Costs()
        deployments.costs[key].add(Counter(delivered), {"build-start": 0.25})
    return deployments


def test_every_scenario_has_a_bar_in_both_states():
    assert len(list(deployment_bars(found()))) == len(SCENARIOS) * len(STATES)
    assert RATIOS.keys() | {(UNCHANGED, state) for state in STATES} == EXACT.keys()


def test_a_bar_is_met_at_its_ratio_and_missed_beyond():
    assert all(bar.is_met for bar in deployment_bars(found()))
    assert not any(bar.is_met for bar in deployment_bars(found(more=0.01)))


def test_a_bar_names_both_times():
    bar = next(deployment_bars(found()))
    assert bar.row().endswith("| p50 <= 1.6x plain | 1.60x (1.60 s / 1.00 s) | met |")


def test_an_unchanged_source_with_a_job_misses_its_bar():
    missed = [bar.what for bar in deployment_bars(found(**{JOB: 0.1})) if not bar.is_met]
    assert len(missed) == 2
    assert all(what.startswith(UNCHANGED) for what in missed)


@pytest.mark.parametrize("name", [PLAIN, WAKE])
def test_without_a_yardstick_there_is_no_verdict(name: str):
    deployments = found()
    deployments.yardsticks[name].values.clear()
    assert list(deployment_bars(deployments)) == []
    assert "yardstick" in deployment_rows(deployments)


def test_a_table_shows_the_yardsticks_beside_the_state_that_they_are_for():
    rows = deployment_rows(found()).splitlines()[2:]
    assert rows[0] == "| yardstick *plain* | 1.00, 1 times |  |"
    assert rows[1] == "| yardstick *wake* |  | 2.00, 1 times |"
    assert rows[2] == f"| {NEW} | 1.60, 1 times | 4.50, 1 times |"


def test_a_moment_that_was_not_seen_is_left_empty():
    rows = moment_rows(found()).splitlines()
    assert [row.count("|") for row in rows] == [len(EXACT) + 2] * len(rows)
    assert next(row for row in rows if row.startswith(f"| {JOB}")).split("|")[2].strip() == ""


def test_bytes_are_told_where_the_registry_can_be_read():
    assert f"| {CODE}, warm | 2.00 | 1.00 |" in pushed_rows(found(pushed=Pushed(2048, 1024)))
    assert pushed_rows(found()).startswith("Not measured")


def test_deliveries_that_only_wake_are_told_from_the_others():
    assert f"| {NEW}, warm | 4.00 | 2.00 | 0.25 |  |  |" in cost_rows(found())


def test_processor_time_is_that_of_the_time_between():
    before = {"publish": {"one": 1.0, "gone": 5.0}}
    after = {"publish": {"one": 1.5, "new": 0.25}, "build-start": {"first": 2.0}}
    assert spent_since(before, after) == {"publish": 0.75, "build-start": 2.0}


def test_a_plain_service_is_like_that_of_a_lambda_and_belongs_to_nobody():
    lambda_annotations = {"autoscaling.knative.dev/target": "10", "example.dev/x": "y"}
    template = {
        "metadata": {"labels": {"knative-lambda.dev/function-name": "hello"}},
        "spec": {"containers": [{"image": "i@sha256:1"}]},
    }
    template["metadata"]["annotations"] = lambda_annotations
    model = {"metadata": {"ownerReferences": [{}], "uid": "1"}, "spec": {"template": template}}

    plain = plain_service(model, "plain-1")

    assert plain["metadata"] == {"name": "plain-1", "namespace": "knative-lambda-bench"}
    assert plain["spec"]["template"] == {
        "metadata": {"annotations": {"autoscaling.knative.dev/target": "10"}},
        "spec": {"containers": [{"image": "i@sha256:1"}]},
    }
