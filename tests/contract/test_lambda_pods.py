"""Each state that a Pod of a lambda can be in, and whether its lambda has failed by that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.helpers.recorded_deployments import deploy
from tests.helpers.platforms import pod_status

STARTING, FAILED = ("Unknown", ""), ("False", "RevisionFailed", "said by Knative")

RUNNING = {"running": {}}
ENDED = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no handler"}}
ENDED_WELL = {"terminated": {"exitCode": 0, "reason": "Completed"}}
ONCE = {"exitCode": 1, "reason": "Error", "message": "no handler"}


def waiting(reason, message=""):
    return {"waiting": {"reason": reason, "message": message}}


NO_NODE = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
}
CREATING = pod_status("Pending", waiting("ContainerCreating"))
LOOPING = pod_status("Running", waiting("CrashLoopBackOff"), ended=ONCE)
EVICTED = {"phase": "Failed", "reason": "Evicted"}

# Whatever Knative says meanwhile: what it says at once of some of them, it says late of others.
LASTING = {
    "it ended and waits for its next start": (LOOPING, "no handler"),
    "it ended and ended again": (pod_status("Running", ENDED, ended=ONCE), "no handler"),
    "it ended well, which a server never should": (
        pod_status("Running", waiting("CrashLoopBackOff"), ended=ENDED_WELL["terminated"]),
        "exit code 0",
    ),
    "its memory was too little": (
        pod_status(
            "Running",
            waiting("CrashLoopBackOff"),
            ended={"exitCode": 137, "reason": "OOMKilled"},
        ),
        "OOMKilled",
    ),
    "a Secret is missing": (
        pod_status("Pending", waiting("CreateContainerConfigError", 'secret "password" not found')),
        'secret "password" not found',
    ),
    "a key is missing": (
        pod_status(
            "Pending",
            waiting("CreateContainerConfigError", "couldn't find key a in ConfigMap default/b"),
        ),
        "couldn't find key a in ConfigMap default/b",
    ),
    "its image is not there": (
        pod_status("Pending", waiting("ImagePullBackOff", "not found")),
        "ImagePullBackOff: not found",
    ),
}
# Where nothing starts it again: as the embedded platform has it.
OVER = {
    "it ended": [pod_status("Failed", ENDED)],
    "it ended well": [pod_status("Succeeded", ENDED_WELL)],
    "it never ran": [pod_status("Failed", ENDED), pod_status("Failed", ENDED)],
    "there is none": [],
}
# It may still start: a node, an image, or the process itself is on its way.
UNDER_WAY = {
    "it has no node": [NO_NODE],
    "it is being made": [CREATING],
    "its image is pulled": [pod_status("Pending", waiting("ErrImagePull"))],
    "it runs and does not answer yet": [pod_status("Running", RUNNING)],
    "it ended once, which may be a database that was late": [pod_status("Running", ENDED)],
    "it runs again after it ended": [pod_status("Running", RUNNING, ended=ONCE)],
    "another one takes its place": [pod_status("Failed", ENDED), CREATING],
}


@pytest.fixture
def deployment(kubernetes):
    made = deploy(kubernetes)
    kubernetes.services.apply(made)
    return made


def state_of(kubernetes, deployment, pods, knative, *, is_replaced=False):
    kubernetes.hands.revision(deployment, *pods, is_replaced=is_replaced)
    kubernetes.hands.say(deployment, Ready=knative, ConfigurationsReady=knative)
    return kubernetes.services.state(deployment)


@pytest.mark.parametrize("knative", [STARTING, FAILED], ids=["starting", "failed"])
@pytest.mark.parametrize("name", LASTING)
def test_what_no_time_mends_is_a_failure_in_the_kubelets_words(
    kubernetes, deployment, name, knative
):
    pod, said = LASTING[name]
    state = state_of(kubernetes, deployment, [pod], knative)
    assert (state.failed, state.pending_since) == (True, None)
    assert said in state.failure_message


@pytest.mark.parametrize("name", OVER)
def test_a_pod_that_ended_where_nothing_starts_it_again_has_failed(kubernetes, deployment, name):
    state = state_of(kubernetes, deployment, OVER[name], FAILED)
    assert (state.failed, state.pending_since) == (True, None)
    assert state.failure_message == "said by Knative"


@pytest.mark.parametrize("name", UNDER_WAY)
def test_a_failure_may_pass_while_a_pod_may_still_start(kubernetes, deployment, name):
    state = state_of(kubernetes, deployment, UNDER_WAY[name], FAILED)
    assert state.failed
    assert datetime.now(UTC) - state.pending_since < timedelta(minutes=1)


@pytest.mark.parametrize("name", [*UNDER_WAY, *OVER])
def test_what_knative_does_not_call_failed_is_starting(kubernetes, deployment, name):
    pods = {**UNDER_WAY, **OVER}[name]
    state = state_of(kubernetes, deployment, pods, STARTING)
    assert (state.ready, state.failed) == (False, False)


@pytest.mark.parametrize("others", [[], [NO_NODE]], ids=["not yet", "waiting for a node"])
def test_a_pod_that_a_cluster_put_out_is_replaced(kubernetes, deployment, others):
    pods = [EVICTED, *others]
    state = state_of(kubernetes, deployment, pods, FAILED, is_replaced=True)
    assert state.pending_since is not None


def test_one_pod_that_cannot_start_is_enough(kubernetes, deployment):
    state = state_of(kubernetes, deployment, [CREATING, LOOPING], STARTING)
    assert (state.failed, state.pending_since) == (True, None)
