"""On a cluster, attacks fail for the reason that the documents state, and readers see no secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.attacks import DEPLOYED_ATTACKS, RAN, REFUSED_REQUESTS
from tests.helpers.canaries import Canaries
from tests.helpers.cluster import BUILD_PODS, BUILDS
from tests.helpers.waiting import wait_for
from tests.helpers.workspaces import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.cluster import Cluster
    from tests.helpers.gated_wheel import GatedWheel

RUNTIMES = {"python": "python3.11", "nodejs": "nodejs24"}
SECRETS = f"/api/v1/namespaces/{BUILDS}/secrets"


@pytest.mark.parametrize("name", DEPLOYED_ATTACKS)
def test_a_deployed_attack_fails_by_its_reason_and_runs_nothing(
    cluster: Cluster, unique_name: str, tmp_path: Path, name: str
):
    attack = DEPLOYED_ATTACKS[name]
    folder = write_files(tmp_path / "source", attack.files)
    runtime = RUNTIMES[attack.runtime]

    done = cluster.kn_lambda(
        "deploy", folder, "--name", unique_name, "--runtime", runtime, "-o", "json"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["reason"]) == ("failed", attack.reason), document
    said = {"said": done.stdout + done.stderr} | logs_of_builds(cluster, unique_name)
    assert Canaries({"it ran": RAN}).found_in(said) == []


@pytest.mark.parametrize("name", REFUSED_REQUESTS)
def test_a_request_that_reaches_for_others_is_refused_and_recorded_nowhere(
    cluster: Cluster, unique_name: str, name: str
):
    spec, words = REFUSED_REQUESTS[name]

    cluster.send_build_start(unique_name, {"main.py": ""}, spec=spec)

    told = wait_for(lambda: events_of(cluster, unique_name))
    assert len(told) == 1
    assert words in told[0]["message"], told
    assert cluster.record(unique_name) is None


def test_whoever_may_read_jobs_pods_and_logs_of_a_build_sees_nothing_that_opens_anything(
    cluster: Cluster, gate: GatedWheel, unique_name: str
):
    files = {"main.py": "def handler(event): ...\n", "requirements.txt": gate.requirement}
    cluster.send_request(unique_name, files)
    gate.await_build()
    (job,) = cluster.jobs_of(unique_name)
    secret = cluster.api.get(f"{SECRETS}/{job['metadata']['name']}") or {}
    opens = {"storage": cluster.environment["TESTBED_STORAGE_SECRET_KEY"], **signatures(secret)}

    pods = build_pods(cluster, unique_name)
    seen = {"job": job, "pods": pods, "record": cluster.record(unique_name)}
    gate.open()
    cluster.await_phase(unique_name, "Ready")

    places = {place: json.dumps(document) for place, document in seen.items()}
    places |= logs_of_builds(cluster, unique_name)
    assert Canaries(opens).found_in(places) == []
    volumes = [volume for pod in pods for volume in pod["spec"]["volumes"]]
    assert not [volume for volume in volumes if {"secret", "projected"} & volume.keys()]


def signatures(secret: dict[str, Any]) -> dict[str, str]:
    """What opens the objects of a build: of each address its signature, and that of the upload."""
    values = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    fields = json.loads(values["RESULT_FIELDS"])
    (source,) = parse_qs(urlsplit(values["CONTEXT_URL"]).query)["X-Amz-Signature"]
    return {
        "source": source,
        "upload": fields["x-amz-signature"],
        "policy of the upload": fields["policy"],
    }


def build_pods(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    return cluster.api.list(BUILD_PODS, **{"knative-lambda.dev/function-name": name})


def logs_of_builds(cluster: Cluster, name: str) -> dict[str, str]:
    """What the containers of its builds printed, by Pod."""
    return {
        pod["metadata"]["name"]: cluster.api.request(
            "GET", f"{BUILD_PODS}/{pod['metadata']['name']}/log"
        ).body.decode()
        for pod in build_pods(cluster, name)
    }


def events_of(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    events = cluster.api.list("/api/v1/namespaces/default/events")
    return [each for each in events if each["involvedObject"]["name"] == name]
