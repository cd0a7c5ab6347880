"""kn-lambda against a cluster: the same commands as against the embedded platform."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster

HELLO = "def handler(event):\n    print('asked')\n    return {'hello': event.data['name']}\n"


def test_the_doctor_finds_a_cluster_in_order(cluster: Cluster):
    done = cluster.kn_lambda("doctor", "-o", "json")

    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    for name in ("Knative Serving", "Knative Eventing", "tenant default", "permission to send"):
        assert checks[name]["verdict"] == "ok"
    for name in ("storage", "registry", "function cleanup", "Broker knative-lambda/knative-lambda"):
        assert checks[name]["verdict"] == "ok"


def test_the_doctor_says_of_a_namespace_that_it_is_no_tenant(cluster: Cluster):
    done = cluster.kn_lambda("doctor", "-n", "kube-public", "-o", "json")

    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert checks["tenant kube-public"]["verdict"] == "failed"
    assert checks["tenant kube-public"]["wayOut"]


def test_a_life_by_the_command_line(cluster: Cluster, write_function, unique_name: str):
    deployed = cluster.kn_lambda("deploy", write_function(HELLO), "--name", unique_name)
    assert deployed.returncode == 0, deployed.stderr
    assert "http://" in deployed.stdout

    invoked = cluster.kn_lambda("invoke", unique_name, "--data", '{"name": "Ada"}')
    assert (invoked.returncode, json.loads(invoked.stdout)) == (0, {"hello": "Ada"})
    assert "asked" in cluster.kn_lambda("logs", unique_name).stdout

    listed = json.loads(cluster.kn_lambda("list", "-o", "json").stdout)
    assert unique_name in json.dumps(listed)
    described = json.loads(cluster.kn_lambda("describe", unique_name, "-o", "json").stdout)
    assert described["status"]["phase"] == "Ready"

    assert cluster.kn_lambda("delete", unique_name).returncode == 0
    assert cluster.kn_lambda("describe", unique_name).returncode != 0
    assert cluster.record(unique_name) is None


def test_settings_change_without_the_source_and_stay_until_they_are_unset(
    cluster: Cluster, write_function, unique_name: str
):
    shows = "import os\ndef handler(event):\n    return {'level': os.environ.get('LEVEL')}\n"
    folder = write_function(shows)
    deployed = cluster.kn_lambda("deploy", folder, "--name", unique_name, "-o", "json")

    changed = cluster.kn_lambda("set", unique_name, "-e", "LEVEL=debug", "-o", "json")
    assert changed.returncode == 0, changed.stderr
    # Nothing was built.
    assert json.loads(changed.stdout)["image"] == json.loads(deployed.stdout)["image"]
    assert json.loads(changed.stdout)["changes"]["env"]["added"] == ["LEVEL"]

    folder = write_function(f"{shows}# changed\n")
    again = cluster.kn_lambda("deploy", folder, "--name", unique_name)
    assert "kept from the command line: LEVEL" in again.stderr
    assert cluster.call(unique_name).data == {"level": "debug"}

    unset = cluster.kn_lambda("set", unique_name, "--unset", "LEVEL")
    assert "env: - LEVEL" in unset.stderr
    assert cluster.call(unique_name).data == {"level": None}


def test_a_source_too_large_for_an_event_is_uploaded(
    cluster: Cluster, write_function, unique_name: str
):
    folder = write_function(HELLO)
    (folder / "table.bin").write_bytes(bytes(range(256)) * 8192)

    deployed = cluster.kn_lambda("deploy", folder, "--name", unique_name)

    assert deployed.returncode == 0, deployed.stderr
    assert "uploaded" in deployed.stderr
    assert cluster.call(unique_name, {"name": "Ada"}).data == {"hello": "Ada"}


def test_the_installers_words_reach_the_terminal(
    cluster: Cluster, write_function, unique_name: str
):
    folder = write_function(HELLO, requirements="no-such-package-anywhere==1.0\n")

    refused = cluster.kn_lambda("deploy", folder, "--name", unique_name)

    assert refused.returncode == 1
    assert "no-such-package-anywhere" in refused.stderr


def test_a_source_that_is_not_there_ends_the_deployment_with_the_reason(
    cluster: Cluster, write_function, unique_name: str
):
    uri = f"s3://knative-lambda-sources/default/{unique_name}.zip"
    options = ("--name", unique_name, "--source", uri, "--timeout", "90s", "-o", "json")

    refused = cluster.kn_lambda("deploy", write_function(HELLO), *options)

    # Not 5, with which it ends when its time is over.
    assert refused.returncode == 1, refused.stderr
    assert "rejected: SourceNotFound: source.uri: " in refused.stderr
    assert unique_name in refused.stderr.partition("SourceNotFound")[2]
    document = json.loads(refused.stdout)
    assert (document["outcome"], document["reason"]) == ("refused", "SourceNotFound")
    assert cluster.record(unique_name) is None
