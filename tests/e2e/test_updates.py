"""A new version is deployed while requests come in: none of them fails."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.helpers.cluster import SERVICES
from tests.helpers.load import Load
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.helpers.mutations import Mutations
    from tests.helpers.cluster import Cluster

ROOM = "tests.knative-lambda.dev/room"
VERSION = """
import time

def handler(event):
    time.sleep(0.02)  # so that requests are under way when the traffic moves
    return {number}
"""


def load(cluster: Cluster, name: str) -> Load:
    # The cluster under test has two cores in all.
    return Load(lambda: cluster.call(name), askers=2, pause_seconds=0.02)


def test_no_request_fails_while_new_versions_are_deployed(
    cluster: Cluster, write_function, unique_name: str
):
    cluster.deploy(write_function(VERSION.replace("{number}", "1")), "--name", unique_name)

    with load(cluster, unique_name) as asked:
        for number in ("2", "3"):
            source = write_function(VERSION.replace("{number}", number))
            cluster.deploy(source, "--name", unique_name)
            # Once it is Ready the next one who asks has the new version.
            assert cluster.call(unique_name).body == number.encode()

    assert {status for status, _ in asked.answers} == {200}
    assert {body for _, body in asked.answers} == {b"1", b"2", b"3"}


def test_a_version_that_does_not_start_leaves_the_old_one_serving(
    cluster: Cluster, write_function, unique_name: str
):
    cluster.deploy(write_function(VERSION.replace("{number}", "1")), "--name", unique_name)

    with load(cluster, unique_name) as asked:
        broken = write_function("import no_such_module\n")
        refused = cluster.kn_lambda("deploy", broken, "--name", unique_name)

    assert refused.returncode == 1
    assert "no_such_module" in refused.stdout + refused.stderr
    assert set(asked.answers) == {(200, b"1")}


def test_a_version_that_did_not_start_is_mended_by_the_next(
    cluster: Cluster, write_function, unique_name: str
):
    # First nothing serves yet; then something does, and both images are there, which is quicker.
    for _ in range(2):
        broken = write_function("import no_such_module\n")
        assert cluster.kn_lambda("deploy", broken, "--name", unique_name).returncode == 1
        cluster.deploy(write_function(VERSION.replace("{number}", "2")), "--name", unique_name)
        assert cluster.call(unique_name).body == b"2"


def test_a_version_that_finds_no_node_at_first_is_ready_once_there_is_one(
    cluster: Cluster, pod_mutations: Mutations, unique_name: str
):
    files = {"main.py": VERSION.replace("{number}", "1")}
    cluster.send_build_start(unique_name, files)
    cluster.await_phase(unique_name, "Ready")
    # Of this lambda alone: what builds and deploys it may need a Pod meanwhile.
    pod_mutations.of(unique_name, lambda pod: pod["spec"].update(nodeSelector={ROOM: unique_name}))

    changed = threading.Thread(
        target=cluster.send_build_start,
        args=(unique_name, files),
        kwargs={"spec": {"env": [{"name": "NEW", "value": "1"}]}},
    )
    changed.start()
    wait_for(lambda: "nodes are available" in what_knative_says(cluster, unique_name))
    with room_on_nodes(cluster, unique_name):
        changed.join()
        record = cluster.await_phase(unique_name, "Ready", "Failed")

    assert record["status"]["phase"] == "Ready", record["status"]["build"]
    assert record["status"]["revision"] == f"{unique_name}-00002"


@contextmanager
def room_on_nodes(cluster: Cluster, name: str) -> Iterator[None]:
    """Every node takes the Pods that asked for this room."""
    label_nodes(cluster, name)
    try:
        yield
    finally:
        label_nodes(cluster, None)


def label_nodes(cluster: Cluster, room: str | None) -> None:
    for node in cluster.api.list("/api/v1/nodes"):
        path = f"/api/v1/nodes/{node['metadata']['name']}"
        cluster.api.merge(path, {"metadata": {"labels": {ROOM: room}}})


def what_knative_says(cluster: Cluster, name: str) -> str:
    service = cluster.api.get(f"{SERVICES}/{name}")
    conditions = ((service or {}).get("status") or {}).get("conditions", [])
    return " ".join(each.get("message", "") for each in conditions)
