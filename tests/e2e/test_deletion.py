"""What is deleted is gone: every object of every kind in every namespace is as it was before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.cluster import Cluster

HELLO = "def handler(event):\n    return 'hello'\n"
# Whatever installs packages has a Job.
SMALL = "h11==0.16.0\n"
# They come and go with whatever happens.
OF_THE_MOMENT = {"Event", "Lease", "PodMetrics", "NodeMetrics"}
CONTROL_PLANE_PODS = ("knative-lambda/", "knative-serving/", "knative-eventing/")


def objects(cluster: Cluster) -> set[str]:
    """Kind, namespace and name of all that the API lists, but for Pods of the control plane."""
    return {
        f"{kind} {place}"
        for kind, path in cluster.api.kinds()
        if kind not in OF_THE_MOMENT
        for item in cluster.api.list(path)
        if not (
            (place := f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}")
            and kind in {"Pod", "ReplicaSet", "PodAutoscaler", "Metric", "EndpointSlice"}
            and place.startswith(CONTROL_PLANE_PODS)
        )
    }


def settled(cluster: Cluster) -> set[str]:
    """All objects, once those of tests before have gone; Pods take half a minute to end."""

    def unchanged() -> set[str]:
        before = objects(cluster)
        time.sleep(2)
        gone = before - objects(cluster)
        return before if {each.split()[0] for each in gone} <= {"Pod"} else set()

    return wait_for(unchanged)


def stored(cluster: Cluster) -> set[str]:
    """Keys in the builder's own bucket, but for notes of deletions, which are kept for a day."""
    pages = cluster.storage.get_paginator("list_objects_v2").paginate(Bucket="knative-lambda")
    keys = {item["Key"] for page in pages for item in page.get("Contents", ())}
    return {key for key in keys if not key.startswith("deleted/")}


def test_a_deleted_lambda_leaves_nothing_behind(
    cluster: Cluster, examples: Path, write_function, unique_name: str
):
    before, stored_before = settled(cluster), stored(cluster)
    cluster.deploy(examples / "order-confirmation", "--name", unique_name)
    cluster.deploy(write_function(HELLO, requirements=SMALL), "--name", unique_name)
    made = objects(cluster) - before
    assert {"LambdaFunction", "Service", "Job"} <= {each.split()[0] for each in made}

    deleted = cluster.kn_lambda("delete", unique_name)

    assert deleted.returncode == 0, deleted.stderr
    wait_for(lambda: not (objects(cluster) - before), within=120)
    # Pods of others may have ended meanwhile, and nothing else.
    assert {each.split()[0] for each in before - objects(cluster)} <= {"Pod"}
    assert stored(cluster) <= stored_before


def test_a_lambda_that_is_deleted_while_it_is_built_is_gone(cluster: Cluster, unique_name: str):
    before = settled(cluster)
    files = {"main.py": HELLO, "requirements.txt": SMALL}
    cluster.send_build_start(unique_name, files)
    wait_for(lambda: cluster.jobs_of(unique_name))

    assert cluster.kn_lambda("delete", unique_name).returncode == 0

    wait_for(lambda: not (objects(cluster) - before), within=120)


def test_an_unknown_lambda_can_be_deleted_twice(cluster: Cluster, recorder, unique_name: str):
    for _ in range(2):
        assert cluster.send_delete(unique_name).status == 202
    wait_for(lambda: recorder.types(unique_name).count("function.deleted.v1") == 2)
