"""Whatever is restarted in the middle of a build, its outcome is the same."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.cluster import CONTROL
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster
    from tests.helpers.gated_wheel import GatedWheel

HELLO = "import gated\n\ndef handler(event):\n    return gated.VALUE\n"
EVENTING = "knative-eventing"


def end_pods(cluster: Cluster, namespace: str, **labels: str) -> None:
    """End Pods without waiting, and wait until others are ready in their place."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    ended = cluster.api.list(path, **labels)
    assert ended
    for pod in ended:
        cluster.api.delete(f"{path}/{pod['metadata']['name']}", at_once=True)
    gone = {pod["metadata"]["uid"] for pod in ended}

    def replaced() -> bool:
        pods = cluster.api.list(path, **labels)
        fresh = [pod for pod in pods if pod["metadata"]["uid"] not in gone]
        return len(fresh) >= len(ended) and all(map(_is_ready, fresh))

    wait_for(replaced)


def _is_ready(pod: dict) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def restart_the_builder(cluster: Cluster) -> None:
    """All functions that run at the moment; those that are asked again come back by themselves."""
    path = f"/api/v1/namespaces/{CONTROL}/pods"
    for pod in cluster.api.list(path):
        cluster.api.delete(f"{path}/{pod['metadata']['name']}", at_once=True)


def restart_the_broker(cluster: Cluster) -> None:
    for role in ("ingress", "filter"):
        end_pods(cluster, EVENTING, **{"eventing.knative.dev/brokerRole": role})


def restart_the_source_of_job_events(cluster: Cluster) -> None:
    label = {"eventing.knative.dev/source": "apiserver-source-controller"}
    end_pods(cluster, "knative-lambda-builds", **label)


def restart_the_kubelet(cluster: Cluster) -> None:
    """Of the testbed; its keeper starts another one."""
    if "TESTBED_STATE" not in cluster.environment:
        pytest.skip("TESTBED_STATE is not set: this is no testbed, whose kubelet may be killed")
    state = Path(cluster.environment["TESTBED_STATE"])
    init = (state / "init").read_text().split()[0]
    before = (state / "run/kubelet.pid").read_text().strip()
    kill = ["nsenter", "-t", init, "-p", "-m", "kill", "-KILL", before]
    subprocess.run(kill, check=True)
    wait_for(lambda: (state / "run/kubelet.pid").read_text().strip() not in {"", before})


@pytest.mark.parametrize(
    "restart",
    [
        restart_the_builder,
        restart_the_broker,
        restart_the_source_of_job_events,
        restart_the_kubelet,
    ],
)
def test_a_build_goes_on_while_a_part_is_restarted(
    cluster: Cluster,
    recorder: Recorder,
    gate: GatedWheel,
    unique_name: str,
    restart: Callable[[Cluster], None],
):
    files = {"main.py": HELLO, "requirements.txt": gate.requirement}
    cluster.send_request(unique_name, files)
    gate.await_build()

    restart(cluster)
    gate.open()

    cluster.await_phase(unique_name, "Ready")
    assert len(cluster.jobs_of(unique_name)) == 1
    assert cluster.call(unique_name).data == "through the gate"
    ready = recorder.events(
        subject=f"default/{unique_name}", type="dev.knative-lambda.function.ready.v1"
    )
    assert len({event["attributes"]["id"] for event in ready}) <= 1
