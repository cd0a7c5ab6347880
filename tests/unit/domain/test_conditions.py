"""Conditions as Kubernetes and kstatus read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knative_lambda.domain.conditions import with_condition
from knative_lambda.domain.lambda_function import Condition

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def condition(type_, status, reason=""):
    return Condition(
        type=type_, status=status, reason=reason, message="why", last_transition_time=LATER
    )


def after(*conditions):
    said = []
    for minutes, each in enumerate(conditions):
        said = with_condition(said, each, now=NOON + timedelta(minutes=minutes))
    return {each.type: each for each in said}


@pytest.mark.parametrize(
    ("status", "reason", "derived"),
    [
        ("True", "", None),
        ("Unknown", "Building", "Reconciling"),
        ("False", "BuildFailed", "Stalled"),
        ("False", "Deleting", "Reconciling"),
    ],
)
def test_ready_brings_what_kstatus_derives_from_it(status, reason, derived):
    said = after(condition("Ready", status, reason))
    assert said.keys() == {"Ready"} | ({derived} if derived else set())
    if derived:
        assert (said[derived].status, said[derived].reason) == ("True", reason)
        assert said[derived].message == "why"


def test_what_is_not_true_any_more_is_not_there():
    stages = [condition("Ready", "Unknown"), condition("Ready", "False", "BuildFailed")]
    assert after(*stages).keys() == {"Ready", "Stalled"}
    assert after(*stages, condition("Ready", "True")).keys() == {"Ready"}


def test_another_condition_leaves_them_alone():
    said = after(condition("Ready", "Unknown"), condition("BuildReady", "True"))
    assert said.keys() == {"Ready", "Reconciling", "BuildReady"}


def test_the_time_is_that_of_the_last_change_of_the_status():
    failed = condition("Ready", "False", "BuildFailed")
    said = after(failed, failed.model_copy(update={"reason": "Cancelled"}))
    assert {each.last_transition_time for each in said.values()} == {NOON}
    assert {each.reason for each in said.values()} == {"Cancelled"}
    assert after(failed, condition("Ready", "True"))["Ready"].last_transition_time == LATER
