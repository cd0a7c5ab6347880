"""Which Pods of a lambda will not start, and which may still."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knative_lambda.adapters.kubernetes.lambda_pods import state_with_pods
from knative_lambda.domain.deployment import ServiceState

CRASH = {"terminated": {"exitCode": 1, "reason": "Error", "message": "No module named 'x'\n"}}
QUIET_CRASH = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}


STARTING = ServiceState(ready=False)


def read(pod):
    return state_with_pods(STARTING, [pod])


def pod(state, last=None, *, name="user-container"):
    status = {"name": name, "state": state, "lastState": last or {}}
    return {"status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    "waits",
    [
        {},
        {"status": {}},
        pod({"waiting": {"reason": "ContainerCreating"}}),
        pod({"waiting": {"reason": "ErrImagePull", "message": "connection refused"}}),
        pod({"running": {}}),
        pod(CRASH),
        pod({"running": {}}, CRASH),
        pod(BACK_OFF, CRASH, name="queue-proxy"),
    ],
    ids=[
        "no status",
        "no containers",
        "made",
        "first pull",
        "runs",
        "ended once",
        "runs again",
        "not ours",
    ],
)
def test_what_may_still_start_is_no_failure(waits):
    assert read(waits) == STARTING


FAILED = ServiceState(ready=False, failure_reason="RevisionFailed", failure_message="no")


def made(phase, minute, *, owner="Revision"):
    """A Pod that was made at that minute."""
    created = f"2026-01-31T12:{minute:02}:00Z"
    metadata = {"creationTimestamp": created, "ownerReferences": [{"kind": owner}]}
    return {"metadata": metadata, "status": {"phase": phase}}


@pytest.mark.parametrize(
    "pods", [[], [made("Failed", 1)], [made("Failed", 1), made("Succeeded", 2)]]
)
def test_a_failure_is_final_when_nothing_may_start_any_more(pods):
    assert state_with_pods(FAILED, pods) == FAILED


@pytest.mark.parametrize(
    "pods",
    [
        [made("Pending", 7), made("Running", 9)],
        [made("Failed", 7), made("Pending", 9)],
        [made("Failed", 7, owner="ReplicaSet")],
    ],
    ids=["waiting", "one that ended", "put out and replaced"],
)
def test_a_failure_may_pass_counted_from_the_first_pod_that_was_made(pods):
    assert state_with_pods(FAILED, pods).pending_since == datetime(2026, 1, 31, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize("state", [BACK_OFF, CRASH], ids=["backs off", "ended again"])
def test_a_function_that_ended_twice_says_what_it_said_last(state):
    found = read(pod(state, CRASH))
    assert found.failed
    assert found.failure_message == "the function ended with exit code 1: No module named 'x'"


def test_a_function_that_said_nothing_is_told_by_the_platforms_reason():
    found = read(pod(BACK_OFF, QUIET_CRASH))
    assert found.failure_message == "the function ended with exit code 137: OOMKilled"


@pytest.mark.parametrize(
    "reason", ["ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"]
)
def test_what_the_kubelet_tries_for_ever_is_told_in_its_words(reason):
    found = read(pod({"waiting": {"reason": reason, "message": 'secret "a" not found'}}))
    assert (found.failure_reason, found.failure_message) == (
        "RevisionFailed",
        f'{reason}: secret "a" not found',
    )
