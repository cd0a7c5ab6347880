"""A function that does not start on a cluster is told at once; what mends itself says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.broken_functions import BROKEN_FUNCTIONS
from tests.helpers.cluster import TENANT
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster

SAYING = "import os\nWORD = os.environ['WORD']\ndef handler(event):\n    return WORD\n"
PLACES = {"Secret": "secrets", "ConfigMap": "configmaps"}
KEYS = {"Secret": "secretKeyRef", "ConfigMap": "configMapKeyRef"}
KINDS = ["python no module", "python exit with 0", "node throw", "node killed"]
# Less than KN_LAMBDA_START_TIMEOUT, and than Knative's own deadline by far.
PATIENCE = ("--timeout", "60s", "-o", "json")


def deploy_failing(cluster: Cluster, *arguments: object) -> dict[str, Any]:
    done = cluster.kn_lambda("deploy", *arguments, *PATIENCE)
    assert done.returncode == 1, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_ends_is_told_before_any_time_out(
    cluster: Cluster, tmp_path: Path, unique_name: str, kind: str
):
    broken = BROKEN_FUNCTIONS[kind]
    folder = broken.write(tmp_path / "source")
    options = ("--name", unique_name, "--runtime", broken.language)
    document = deploy_failing(cluster, folder, *options)
    assert document["reason"] == "RevisionFailed"
    # Of an end itself a cluster tells the exit code, the embedded platform a sentence.
    said = "exit" if "ended by" in broken.said or "exited" in broken.said else broken.said
    assert said in document["message"]


def lacking(folder: Path, name: str, kind: str, *, optional: bool = False) -> None:
    """Have the variable WORD come from an object of that name."""
    reference = {"name": name, "key": "word", "optional": optional}
    manifest = {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name},
        "spec": {"runtime": "python", "env": [{"name": "WORD", KEYS[kind]: reference}]},
    }
    (folder / "function.yaml").write_text(json.dumps(manifest))


def put(cluster: Cluster, name: str, kind: str, **values: str) -> None:
    field = "stringData" if kind == "Secret" else "data"
    item = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: values}
    cluster.api.apply(f"/api/v1/namespaces/{TENANT}/{PLACES[kind]}/{name}", item)


def assert_ready(cluster: Cluster, recorder: Recorder, name: str) -> None:
    """In the record, in the list, in an event, and when it is called."""
    cluster.await_phase(name, "Ready", within=150)
    rows = cluster.kn_lambda("list").stdout.splitlines()
    assert "Ready" in next(row for row in rows if name in row)
    wait_for(lambda: cluster.call(name).body == b'"sesame"' or None)
    recorder.await_type(name, "function.ready.v1")
    ends = ("build.failed.v1", "function.ready.v1")
    told = [type_ for type_ in recorder.types(name) if type_.endswith(ends)]
    assert len(told) == 2


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_missing_is_named_and_the_lambda_is_ready_once_it_is_there(
    cluster: Cluster, recorder: Recorder, write_function, unique_name: str, kind: str
):
    folder = write_function(SAYING)
    lacking(folder, unique_name, kind)
    document = deploy_failing(cluster, folder)
    assert unique_name in document["message"]
    assert kind.lower() in document["message"].lower()

    put(cluster, unique_name, kind, another="x")
    wait_for(lambda: "word" in why(cluster, unique_name))
    put(cluster, unique_name, kind, word="sesame")

    assert_ready(cluster, recorder, unique_name)


def why(cluster: Cluster, name: str) -> str:
    """What the kubelet says of the function's container."""
    statuses = [
        status
        for pod in cluster.pods_of_service(name)
        for status in pod["status"].get("containerStatuses", [])
    ]
    return " ".join(str(each["state"].get("waiting")) for each in statuses)


def test_a_function_whose_database_was_late_is_ready_after_its_next_start(
    cluster: Cluster, recorder: Recorder, write_function, unique_name: str
):
    folder = write_function(SAYING)
    lacking(folder, unique_name, "ConfigMap", optional=True)
    assert "KeyError" in deploy_failing(cluster, folder)["message"]

    put(cluster, unique_name, "ConfigMap", word="sesame")

    assert_ready(cluster, recorder, unique_name)
