"""A build that cannot work ends in one build.failed, with a reason that a person understands."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.e2e.helpers.mutations import Mutations
    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster
    from tests.helpers.gated_wheel import GatedWheel

HELLO = "def handler(event):\n    return 'hello'\n"
# Whatever installs packages has a Job.
SMALL = "h11==0.16.0\n"
PODS = "/api/v1/namespaces/knative-lambda-builds/pods"


def failure(cluster: Cluster, recorder: Recorder, name: str) -> dict[str, Any]:
    """The data of the one build.failed of a lambda, which its record says too."""
    recorder.await_type(name, "build.failed.v1")
    cluster.await_phase(name, "Failed")
    # The end of a Job comes in several events; all have been answered once it is over.
    wait_for(lambda: all(_is_over(job) for job in cluster.jobs_of(name)))
    events = recorder.events(subject=f"default/{name}", type="dev.knative-lambda.build.failed.v1")
    assert len(events) == 1
    data: dict[str, Any] = json.loads(events[0]["data"])
    record = cluster.record(name) or {}
    assert record["status"]["build"]["reason"] == data["reason"]
    return data


def _is_over(job: dict[str, Any]) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(each["type"] in {"Complete", "Failed"} for each in conditions)


def pod_spec(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def no_node_has_that(job: dict[str, Any]) -> None:
    pod_spec(job)["nodeSelector"] = {"tests/no-such": "node"}


def no_registry_has_that(job: dict[str, Any]) -> None:
    for container in pod_spec(job)["containers"]:
        container["image"] = container["image"].partition("@")[0] + ":no-such-tag"


def no_secret_has_that(job: dict[str, Any]) -> None:
    reference = {"name": "no-such-secret", "key": "key"}
    variable = {"name": "ANY", "valueFrom": {"secretKeyRef": reference}}
    for container in pod_spec(job)["containers"]:
        container["env"].append(variable)


def too_much_memory(job: dict[str, Any]) -> None:
    container = pod_spec(job)["containers"][-1]
    container["command"] = ["python", "-c", "b'x' * (1 << 40) if False else bytearray(1 << 29)"]
    memory = {"memory": "64Mi"}
    container["resources"] = {
        "requests": {**container["resources"]["requests"], **memory},
        "limits": {**container["resources"]["limits"], **memory},
    }


def too_little_time(job: dict[str, Any]) -> None:
    job["spec"]["activeDeadlineSeconds"] = 10


def test_a_package_that_does_not_exist_is_told_in_the_installers_words(
    cluster: Cluster, recorder: Recorder, unique_name: str
):
    files = {"main.py": HELLO, "requirements.txt": "no-such-package-anywhere==1.0\n"}
    cluster.send_request(unique_name, files)

    data = failure(cluster, recorder, unique_name)

    assert data["retryable"] is False
    assert "no-such-package-anywhere" in data["message"] + data["log"]


# Trouble -> the reason that is told, and words of the platform that its message has.
TROUBLES = {
    no_node_has_that: ("BuildNotScheduled", "nodes are available"),
    no_registry_has_that: ("BuilderImageUnavailable", "no-such-tag"),
    no_secret_has_that: ("BuildNotStarted", "no-such-secret"),
    too_much_memory: ("BuildOutOfMemory", "memory"),
}


@pytest.fixture(scope="module")
def troubled(cluster: Cluster, recorder: Recorder, job_mutations: Mutations) -> dict[Any, str]:
    """A lambda in each trouble. All at once: some are waited for for a minute and a half."""
    names = {}
    for change in TROUBLES:
        names[change] = name = f"fn-{uuid.uuid4().hex[:8]}"
        job_mutations.of(name, change)
        cluster.send_request(name, {"main.py": HELLO, "requirements.txt": SMALL})
    return names


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_the_platform_cannot_do_is_told_in_its_own_words(
    cluster: Cluster, recorder: Recorder, troubled: dict[Any, str], trouble
):
    data = failure(cluster, recorder, troubled[trouble])

    reason, words = TROUBLES[trouble]
    assert data["reason"] == reason
    assert words in data["message"]


def test_a_build_that_takes_too_long_says_so(
    cluster: Cluster,
    recorder: Recorder,
    job_mutations: Mutations,
    gate: GatedWheel,
    unique_name: str,
):
    job_mutations.of(unique_name, too_little_time)
    files = {"main.py": HELLO, "requirements.txt": gate.requirement}
    cluster.send_request(unique_name, files)

    data = failure(cluster, recorder, unique_name)

    assert data["reason"] == "BuildTimeout"


def test_a_build_whose_pod_is_evicted_is_built_all_the_same(
    cluster: Cluster, recorder: Recorder, gate: GatedWheel, unique_name: str
):
    files = {"main.py": HELLO, "requirements.txt": gate.requirement}
    cluster.send_request(unique_name, files)
    gate.await_build()

    (pod,) = cluster.api.list(PODS, **{"knative-lambda.dev/function-name": unique_name})
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": "knative-lambda-builds"},
    }
    assert cluster.api.request("POST", f"{PODS}/{name}/eviction", eviction).status == 201
    gate.open()

    cluster.await_phase(unique_name, "Ready")
    assert "build.failed.v1" not in recorder.types(unique_name)
    assert cluster.call(unique_name).data == "hello"
