"""What is told of builds that do not start or that the platform ends: what Kubernetes says of them.

The statuses are those that kubelet and Job controller of Kubernetes 1.35 write.
"""

from __future__ import annotations

import time

import pytest

from knative_lambda.adapters.kubernetes.client import PODS
from knative_lambda.domain.build import JobState
from tests.contract.helpers.build_orders import order
from tests.contract.helpers.older_jobs import start_older_job
from tests.helpers.platforms import statuses

STARTED = "2026-01-01T00:00:00Z"
SCHEDULED = {"type": "PodScheduled", "status": "True"}
SANDBOX = {"type": "PodReadyToStartContainers", "status": "True"}
NO_SANDBOX = SANDBOX | {"status": "False"}
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
NEXT = {"waiting": {"reason": "PodInitializing"}}
RUNS = {"running": {"startedAt": STARTED}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
LOW = "The node was low on resource: memory. "
FULL = 'Usage of EmptyDir volume "workspace" exceeds the limit "2Gi". '


def ended(code, reason="Error", message=""):
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def pod(build=NEXT, *conditions, phase="Pending", **more):
    return {"phase": phase, "conditions": list(conditions), **statuses({"build": build}), **more}


def waiting(reason, message=""):
    return {"waiting": {"reason": reason, "message": message}}


def evicted(message, *conditions, code=137):
    more = {"reason": "Evicted", "message": message}
    return pod(ended(code), *conditions, phase="Failed", **more)


@pytest.fixture
def job(kubernetes):
    return kubernetes.jobs.start(order(kubernetes)).name


def fail(kubernetes, job, reason, *, types=("FailureTarget", "Failed"), **status):
    kubernetes.hands.end(job, types, reason, {"startTime": STARTED} | status)
    return kubernetes.jobs.get(job)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Pending"}, ("BuildNotScheduled", "no scheduler has looked at it", False)),
        (
            pod(waiting("ErrImagePull", "manifest unknown"), SCHEDULED, SANDBOX),
            ("BuilderImageUnavailable", "manifest unknown", False),
        ),
        (
            pod(waiting("ImagePullBackOff", "Back-off pulling image"), SCHEDULED, SANDBOX),
            ("BuilderImageUnavailable", "Back-off pulling image", False),
        ),
        (
            pod(waiting("InvalidImageName", "couldn't parse"), SCHEDULED, SANDBOX),
            ("BuilderImageUnavailable", "couldn't parse", True),
        ),
        (
            pod(waiting("ErrImageNeverPull"), SCHEDULED, SANDBOX),
            ("BuilderImageUnavailable", "ErrImageNeverPull", True),
        ),
        (
            pod(waiting("CreateContainerConfigError", 'secret "a" not found'), SCHEDULED, SANDBOX),
            ("BuildNotStarted", "Secret that opens the build's objects in storage is not", False),
        ),
        (
            pod(waiting("CreateContainerConfigError", 'secret "a" not found'), SCHEDULED, SANDBOX),
            ("BuildNotStarted", 'deploy again: secret "a" not found', False),
        ),
        (
            pod(waiting("CreateContainerError", "no such device"), SCHEDULED, SANDBOX),
            ("BuildNotStarted", "the step build cannot start: CreateContainerError", False),
        ),
        (pod(NEXT, SCHEDULED, NO_SANDBOX), ("BuildNotStarted", "describe pod", False)),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_what_keeps_a_build_from_starting_is_told(kubernetes, job, status, expected):
    reason, says, is_lasting = expected
    kubernetes.hands.pod_with_status(job, status)
    pending = kubernetes.jobs.pending(job)
    assert (pending.obstacle.reason, pending.is_lasting) == (reason, is_lasting)
    assert says in pending.obstacle.message
    assert pending.obstacle.is_users is False


def test_an_image_that_is_being_pulled_is_no_obstacle(kubernetes, job):
    kubernetes.hands.pod_with_status(job, pod(NEXT, SCHEDULED, SANDBOX))
    pending = kubernetes.jobs.pending(job)
    assert (pending.has_pod, pending.obstacle) == (True, None)


@pytest.mark.parametrize(
    "status",
    [
        pod(RUNS, SCHEDULED, SANDBOX),
        pod(DONE, SCHEDULED, SANDBOX),
        pod(phase="Failed", reason="UnexpectedAdmissionError", message="no device"),
        pod(NEXT, SCHEDULED | {"status": "False", "reason": "SchedulingGated"}),
    ],
    ids=["runs", "ran", "refused by the kubelet", "held back by a queue"],
)
def test_a_pod_that_nobody_has_to_wait_for(kubernetes, job, status):
    kubernetes.hands.pod_with_status(job, status)
    assert kubernetes.jobs.pending(job) is None


def test_the_pod_of_an_earlier_job_of_the_same_name_says_nothing(kubernetes, job):
    name = kubernetes.hands.pod_with_status(job, {"phase": "Pending"})
    stored = kubernetes.hands.api.get(PODS, kubernetes.namespace, name)
    stored["metadata"]["ownerReferences"][0]["uid"] = "of-another"
    kubernetes.hands.api.replace(PODS, stored)
    assert kubernetes.jobs.pending(job).has_pod is False


def test_an_attempt_that_ran_out_of_memory_is_the_last_that_is_waited_for(kubernetes, job):
    out_of_memory = pod(ended(137, "OOMKilled"), phase="Failed")
    kubernetes.hands.pod_with_status(job, out_of_memory)
    kubernetes.hands.job_status(job, failed=1)
    seen = kubernetes.jobs.get(job)
    assert (seen.state, seen.finished_at) == (JobState.FAILED, None)
    assert (seen.failure.reason, seen.failure.is_users) == ("BuildOutOfMemory", True)
    assert "the step build needed more memory than its limit of 1Gi" in seen.failure.message
    # The next attempt runs, and changes nothing in it.
    kubernetes.hands.run(job)
    assert kubernetes.jobs.get(job) == seen


def test_an_attempt_that_overfilled_its_disk_is_the_last_that_is_waited_for(kubernetes, job):
    # The step was stopped, and says so; the kubelet says why.
    interrupted = ended(75, message='{"reason": "Interrupted", "message": "SIGTERM"}')
    status = pod(interrupted, phase="Failed", reason="Evicted", message=FULL)
    name = kubernetes.hands.pod_with_status(job, status)
    kubernetes.hands.job_status(job, uncountedTerminatedPods={"failed": [name]})
    failure = kubernetes.jobs.get(job).failure
    assert (failure.reason, failure.is_users) == ("BuildOutOfDisk", True)
    assert failure.message.startswith(FULL)


@pytest.mark.parametrize(
    "status",
    [evicted(LOW, DISRUPTED), pod(ended(137), phase="Failed")],
    ids=["evicted", "killed"],
)
def test_an_attempt_that_may_be_better_next_time_is_not_the_last(kubernetes, job, status):
    kubernetes.hands.pod_with_status(job, status)
    kubernetes.hands.job_status(job, failed=1)
    assert kubernetes.jobs.get(job).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (evicted(LOW, DISRUPTED), ("BuildEvicted", LOW.strip(), False)),
        (evicted(FULL), ("BuildOutOfDisk", FULL.strip(), True)),
        (evicted("", DISRUPTED), ("BuildEvicted", "the node was short of something", False)),
        (
            pod(ended(137, "OOMKilled"), phase="Failed"),
            ("BuildOutOfMemory", "the step build", True),
        ),
        (
            pod(ended(128, "StartError", "no such program"), phase="Failed"),
            ("BuildNotStarted", "the step build cannot start: no such program", False),
        ),
        (pod(ended(137), phase="Failed"), ("BuildCrashed", "step build ended with", False)),
        (
            pod(phase="Failed", reason="OutOfcpu", message="Pod was rejected"),
            ("BuildCrashed", "OutOfcpu: Pod was rejected", False),
        ),
        (
            pod(phase="Failed", message="Pod was rejected"),
            ("BuildCrashed", "Failed: Pod was rejected", False),
        ),
        (pod(phase="Failed"), ("BackoffLimitExceeded", "said by a test", False)),
    ],
)
def test_a_job_that_is_given_up_is_told_in_the_platforms_words(kubernetes, job, status, expected):
    reason, says, is_users = expected
    kubernetes.hands.pod_with_status(job, status)
    failure = fail(kubernetes, job, "BackoffLimitExceeded", failed=3).failure
    assert (failure.reason, failure.is_users) == (reason, is_users)
    assert says in failure.message


def test_a_job_that_will_fail_is_told_before_its_pods_are_gone(kubernetes, job):
    kubernetes.hands.pod_with_status(job, pod(RUNS, SCHEDULED, SANDBOX))
    seen = fail(kubernetes, job, "DeadlineExceeded", types=("FailureTarget",), active=1)
    assert seen.state is JobState.FAILED
    assert seen.finished_at is not None
    assert seen.failure.reason == "BuildTimeout"
    assert "longer than the 600 seconds" in seen.failure.message
    assert seen.failure.message.endswith("it was at the step build")


@pytest.mark.parametrize(
    ("status", "reason", "says"),
    [
        (pod(ended(137), phase="Failed"), "BuildTimeout", "at the step build"),
        (
            pod(ended(75, message='{"reason": "Interrupted", "message": "SIGTERM"}')),
            *("BuildTimeout", "at the step build"),
        ),
        (
            pod(ended(75, message='{"reason": "ContextUnavailable", "message": "no answer"}')),
            *("ContextUnavailable", "no answer"),
        ),
        (evicted(LOW, DISRUPTED), "BuildEvicted", LOW.strip()),
        (pod(NEXT, SCHEDULED, SANDBOX), "BuildNotStarted", "still being pulled"),
        (
            pod(NEXT, SCHEDULED | {"status": "False", "message": "0/3 nodes"}),
            *("BuildNotScheduled", "0/3 nodes"),
        ),
        (
            pod(NEXT, SCHEDULED | {"status": "False", "reason": "SchedulingGated"}),
            *("BuildNotAdmitted", "waited for room"),
        ),
        ({"phase": "Succeeded", **statuses({"build": DONE})}, "BuildTimeout", "allows"),
    ],
)
def test_a_job_that_is_out_of_time_is_told_what_took_it(kubernetes, job, status, reason, says):
    kubernetes.hands.pod_with_status(job, status)
    failure = fail(kubernetes, job, "DeadlineExceeded", failed=1).failure
    assert failure.reason == reason
    assert says in failure.message


@pytest.mark.parametrize("status", [{"failed": 1}, {"active": 1}, {"terminating": 1}], ids=str)
def test_a_job_whose_pod_is_gone_took_too_long(kubernetes, job, status):
    # A Job that is over has no Pods that are active or ending.
    types = ("FailureTarget", "Failed") if "failed" in status else ("FailureTarget",)
    failure = fail(kubernetes, job, "DeadlineExceeded", types=types, **status).failure
    assert (failure.reason, failure.is_users) == ("BuildTimeout", True)
    assert failure.message.endswith("its Pod is gone, and may never have started")


def test_a_job_that_is_out_of_time_tells_what_an_attempt_before_said(kubernetes, job):
    said = '{"reason": "PackageIndexUnavailable", "message": "no answer"}'
    kubernetes.hands.pod_with_status(job, pod(ended(75, message=said), phase="Failed"))
    time.sleep(1.1)  # Pods are told apart by whole seconds
    kubernetes.hands.run(job)
    failure = fail(kubernetes, job, "DeadlineExceeded", failed=2).failure
    assert failure.reason == "BuildTimeout"
    assert failure.message.endswith("An attempt before: PackageIndexUnavailable: no answer")


def test_the_step_of_a_job_of_an_older_version_is_told(kubernetes):
    job = start_older_job(kubernetes, order(kubernetes))
    states = {"build": DONE, "publish": ended(137, "OOMKilled")}
    kubernetes.hands.pod_with_status(job, {"phase": "Failed", **statuses(states)})
    failure = fail(kubernetes, job, "BackoffLimitExceeded", failed=3).failure
    assert failure.reason == "BuildOutOfMemory"
    assert "the step publish" in failure.message
