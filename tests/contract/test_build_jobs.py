"""The contract of the port BuildJobs."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from knative_lambda.adapters.kubernetes.client import JOBS
from knative_lambda.domain.build import BuildFailure, JobState, PendingBuild
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.build_orders import DIGEST, order
from tests.contract.helpers.older_jobs import start_older_job
from tests.helpers.platforms import eventually, is_over, statuses

OTHER_DIGEST = "sha256:" + "e" * 64


def test_a_job_that_starts_runs(platform):
    started = platform.jobs.start(order(platform))
    assert platform.jobs.get(started.name) == started
    assert (started.state, started.finished_at) == (JobState.RUNNING, None)
    assert (started.build_id, started.request_id) == ("b" * 64, "2026/event-1")
    assert started.function == FunctionId(platform.namespace, "hello")
    assert started.created_at.tzinfo is not None


def test_the_same_order_is_the_same_job_which_is_the_newest_requests_from_then_on(platform):
    first = platform.jobs.start(order(platform))
    again = platform.jobs.start(order(platform, request_id="2027/event-2"))
    assert again == replace(first, request_id="2027/event-2")
    assert platform.jobs.get(first.name) == again
    assert len(list(platform.jobs.list())) == 1


def test_a_job_whose_watchers_are_notified_is_the_same_job(platform):
    started = platform.jobs.start(order(platform))
    platform.jobs.notify(started.name)
    assert platform.jobs.get(started.name) == started


def test_announcing_an_unknown_job_is_nothing(platform):
    platform.jobs.notify("nothing")


def test_an_unknown_job_is_none(platform):
    assert platform.jobs.get("nothing") is None


@pytest.mark.parametrize("name", ["a/b", "..", "a?b=c", "a b", "%2e"])
def test_a_name_that_no_job_can_have_is_none(platform, name):
    assert platform.jobs.get(name) is None


def test_jobs_are_listed_by_lambda_or_all(platform):
    one = platform.jobs.start(order(platform, "one")).name
    other = platform.jobs.start(order(platform, "other")).name
    of_one = platform.jobs.list(FunctionId(platform.namespace, "one"))
    assert [job.name for job in of_one] == [one]
    assert {job.name for job in platform.jobs.list()} == {one, other}


@pytest.mark.parametrize("pinned", [True, False])
def test_a_build_that_succeeded_says_whether_its_packages_are_pinned(platform, pinned):
    job = platform.jobs.start(order(platform)).name
    platform.hands.succeed(job, pinned=pinned)
    ended = platform.jobs.get(job)
    assert (ended.state, ended.pinned, ended.failure) == (JobState.SUCCEEDED, pinned, None)
    assert ended.finished_at is not None
    assert list(platform.jobs.list()) == [ended]


def test_a_build_is_over_once_its_pod_ended_well_whatever_its_job_says(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.pod(job, {"build": 0}, {"build": '{"pinned": true}'})
    found = kubernetes.jobs.get(job)
    assert (found.state, found.pinned, found.digest) == (JobState.SUCCEEDED, True, None)
    assert found.finished_at is not None


def test_only_the_newest_pod_says_that_a_build_is_over(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.pod(job, {"build": 0}, {})
    time.sleep(1.1)  # Pods are told apart by whole seconds
    kubernetes.hands.run(job)
    assert kubernetes.jobs.get(job).state is JobState.RUNNING


@pytest.mark.parametrize(
    "message", ["", "[" * 4096, "not JSON", "{}", '{"pinned": "yes"}', '{"pinned": [1]}', "[true]"]
)
def test_packages_are_pinned_only_where_the_build_clearly_says_so(kubernetes, message):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.pod(job, {"build": 0}, {"build": message})
    found = kubernetes.jobs.get(job)
    assert (found.state, found.pinned) == (JobState.SUCCEEDED, False)


def test_a_digest_that_a_build_of_today_claims_is_not_believed(kubernetes):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.pod(job, {"build": 0}, {"build": json.dumps({"digest": OTHER_DIGEST})})
    assert kubernetes.jobs.get(job).digest is None


def test_a_job_of_an_older_version_has_the_digest_that_it_published(kubernetes):
    job = start_older_job(kubernetes, order(kubernetes))
    kubernetes.hands.pod(job, {"build": 0, "publish": 0}, {"publish": f'{{"digest": "{DIGEST}"}}'})
    found = kubernetes.jobs.get(job)
    assert (found.state, found.digest) == (JobState.SUCCEEDED, DIGEST)
    assert found.finished_at is not None
    kubernetes.hands.complete(job)
    ended = kubernetes.jobs.get(job)
    assert (ended.state, ended.digest) == (JobState.SUCCEEDED, DIGEST)


def test_a_job_of_an_older_version_whose_first_step_is_done_still_runs(kubernetes):
    job = start_older_job(kubernetes, order(kubernetes))
    states = {"build": {"terminated": {"exitCode": 0}}, "publish": {"running": {}}}
    kubernetes.hands.pod_with_status(job, {"phase": "Running", **statuses(states)})
    assert kubernetes.jobs.get(job).state is JobState.RUNNING


@pytest.mark.parametrize("is_users", [True, False])
def test_a_build_that_failed_has_its_reason(platform, is_users):
    failure = BuildFailure(reason="RequirementNotFound", message="no such", is_users=is_users)
    job = platform.jobs.start(order(platform)).name
    platform.hands.fail(job, failure)
    ended = platform.jobs.get(job)
    assert (ended.state, ended.digest, ended.failure) == (JobState.FAILED, None, failure)


def test_a_job_without_a_pod_waits_since_it_was_made(platform):
    job = platform.jobs.start(order(platform))
    assert platform.jobs.pending(job.name) == PendingBuild(has_pod=False, since=job.created_at)


def test_a_pod_that_no_node_takes_waits_in_the_schedulers_words(platform):
    job = platform.jobs.start(order(platform)).name
    platform.hands.wait_for_a_node(job, "0/3 nodes are available")
    pending = platform.jobs.pending(job)
    assert pending.has_pod
    assert pending.since.tzinfo is not None
    assert (pending.obstacle.reason, pending.is_lasting) == ("BuildNotScheduled", False)
    assert "0/3 nodes are available" in pending.obstacle.message
    assert platform.jobs.get(job).state is JobState.RUNNING


def test_a_job_of_which_a_container_runs_does_not_wait(platform):
    job = platform.jobs.start(order(platform)).name
    platform.hands.run(job)
    assert platform.jobs.pending(job) is None


def test_a_job_that_is_over_or_gone_does_not_wait(platform):
    job = platform.jobs.start(order(platform)).name
    platform.hands.succeed(job)
    assert platform.jobs.pending(job) is None
    assert platform.jobs.pending("nothing") is None


def test_the_end_of_the_log_is_there(platform):
    job = platform.jobs.start(order(platform)).name
    text = "one\ntw\N{LATIN SMALL LETTER O WITH DIAERESIS}\nthree\n"
    platform.hands.log(job, {"build": text})
    assert platform.jobs.log_tail(job, max_bytes=1000) == text
    assert platform.jobs.log_tail(job, max_bytes=6) == "three\n"
    assert platform.jobs.log_tail(job, max_bytes=8) == "\nthree\n"  # never half a character


def test_the_log_of_a_job_of_an_older_version_is_in_the_order_of_its_steps(kubernetes):
    job = start_older_job(kubernetes, order(kubernetes))
    kubernetes.hands.log(job, {"publish": "two\n", "build": "one\n"})
    assert kubernetes.jobs.log_tail(job, max_bytes=1000) == "one\ntwo\n"


def test_a_job_without_a_pod_has_no_log(platform):
    job = platform.jobs.start(order(platform)).name
    assert platform.jobs.log_tail(job, max_bytes=1000) == ""
    assert platform.jobs.log_tail("nothing", max_bytes=1000) == ""


def test_a_job_is_deleted_as_often_as_asked_and_its_log_goes(platform):
    job = platform.jobs.start(order(platform)).name
    platform.hands.log(job, {"build": "one\n"})
    for _ in range(2):
        platform.jobs.delete(job)
    eventually(lambda: platform.jobs.get(job) is None)
    eventually(lambda: platform.jobs.log_tail(job, max_bytes=1000) == "")


def test_an_order_can_be_given_again_after_its_job_was_deleted(platform):
    first = platform.jobs.start(order(platform))
    platform.jobs.delete(first.name)
    eventually(lambda: platform.jobs.get(first.name) is None)
    assert (
        platform.jobs.start(order(platform, request_id="2027/event-2")).request_id == "2027/event-2"
    )


def test_a_job_that_is_no_build_of_ours_is_none(kubernetes):
    kubernetes.jobs.start(order(kubernetes))
    (ours,) = kubernetes.hands.api.list(JOBS, kubernetes.namespace)
    foreign = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "foreign",
            "namespace": kubernetes.namespace,
            "labels": {"app.kubernetes.io/managed-by": "knative-lambda"},
        },
        "spec": {"template": {"spec": ours["spec"]["template"]["spec"]}},
    }
    kubernetes.hands.api.create(JOBS, foreign)
    assert kubernetes.jobs.get("foreign") is None
    assert [job.name for job in kubernetes.jobs.list()] == [ours["metadata"]["name"]]


@pytest.mark.parametrize(
    "messages",
    [
        {"build": json.dumps({"digest": OTHER_DIGEST})},
        {"build": json.dumps({"digest": OTHER_DIGEST}), "publish": "{}"},
        {"publish": json.dumps({"digest": "sha256:short"})},
        {"publish": json.dumps({"digest": DIGEST + "/../../x"})},
        {"publish": json.dumps({"digest": [DIGEST]})},
        {"publish": "[" * 4096},
        {"publish": "9" * 4096},
        {"publish": "not JSON"},
    ],
    ids=lambda messages: str(messages)[:40],
)
def test_only_a_digest_that_publish_wrote_is_taken(kubernetes, messages):
    job = start_older_job(kubernetes, order(kubernetes))
    kubernetes.hands.pod(job, {"build": 0, "publish": 0}, messages)
    kubernetes.hands.complete(job)
    ended = kubernetes.jobs.get(job)
    assert (ended.state, ended.digest) == (JobState.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("code", "message", "reason", "says"),
    [
        (137, "", "BuildCrashed", "exit code 137"),
        (1, "[" * 4096, "BuildCrashed", "exit code 1"),
        (1, '{"message": "no reason"}', "BuildCrashed", "exit code 1"),
        (1, r'{"reason": "Odd", "message": "\ud800"}', "Odd", "?"),
        (75, '{"reason": 5, "message": ["x"]}', "5", "['x']"),
    ],
)
def test_a_failure_can_always_be_told(kubernetes, code, message, reason, says):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.pod(job, {"build": code}, {"build": message})
    kubernetes.hands.end(
        job,
        ("FailureTarget", "Failed"),
        "BackoffLimitExceeded",
        {"startTime": "2026-01-01T00:00:00Z"},
    )
    assert is_over(kubernetes, job)
    failure = kubernetes.jobs.get(job).failure
    assert failure.reason == reason
    assert says in failure.message
    failure.message.encode()


@pytest.mark.parametrize(
    ("said", "reason", "is_users"),
    [
        ("DeadlineExceeded", "BuildNotAdmitted", False),
        ("BackoffLimitExceeded", "BackoffLimitExceeded", False),
    ],
)
def test_a_failure_without_a_pod_is_told_by_the_job(kubernetes, said, reason, is_users):
    job = kubernetes.jobs.start(order(kubernetes)).name
    kubernetes.hands.end(
        job, ("FailureTarget", "Failed"), said, {"startTime": "2026-01-01T00:00:00Z"}
    )
    failure = kubernetes.jobs.get(job).failure
    assert (failure.reason, failure.is_users) == (reason, is_users)
