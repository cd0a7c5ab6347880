"""On a cluster, a LambdaFunction that somebody applies is a lambda; without one, there is none."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.cluster import CONTROL, JOBS, RECORDS, SERVICES, TENANT
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster

MANY = 12
FOLDER = "tests/folder"
"""The label of what one folder holds, by which a tool prunes what is not there any more."""
SMALL = "h11==0.16.0\n"


def manifest(name: str, text: str, *, namespace: str = TENANT, **spec: Any) -> dict[str, Any]:
    files = {"main.py": f"def handler(request):\n    return {text!r}\n"}
    wanted = {"runtime": "python3.11", "signature": "http", "source": {"inline": files}}
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": namespace},
        "spec": wanted | spec,
    }


def apply(cluster: Cluster, *items: dict[str, Any]) -> None:
    for item in items:
        metadata = item["metadata"]
        place = RECORDS.replace(f"/{TENANT}/", f"/{metadata['namespace']}/")
        cluster.api.apply(f"{place}/{metadata['name']}", item)


def served(cluster: Cluster, name: str) -> bytes:
    return cluster.get(name, "/").body


def is_done(record: dict[str, Any]) -> bool:
    """Whether it is ready by the rules of kstatus."""
    status = record.get("status") or {}
    types = {each["type"]: each["status"] for each in status.get("conditions", ())}
    return (
        status.get("observedGeneration") == record["metadata"]["generation"]
        and types.get("Ready") == "True"
        and not {"Reconciling", "Stalled"} & types.keys()
    )


def await_done(cluster: Cluster, *names: str, within: float = 240) -> None:
    def undone() -> set[str]:
        return {name for name in names if not is_done(cluster.record(name) or manifest(name, ""))}

    try:
        wait_for(lambda: not undone(), within=within)
    except (AssertionError, KeyError) as error:
        raise AssertionError({name: cluster.record(name) for name in undone()}) from error


@pytest.fixture
def folder(cluster: Cluster, unique_name: str) -> Iterator[list[dict[str, Any]]]:
    """Manifests of one folder; what is left of them goes with the test."""
    items = [manifest(f"{unique_name}-{number}", f"{number}") for number in range(MANY)]
    for item in items:
        item["metadata"]["labels"] = {FOLDER: unique_name}
    yield items
    for item in cluster.api.list(RECORDS, **{FOLDER: unique_name}):
        cluster.api.delete(f"{RECORDS}/{item['metadata']['name']}")
    await_removed(cluster, *(item["metadata"]["name"] for item in items))


def await_removed(cluster: Cluster, *names: str) -> None:
    """Wait until Kubernetes and the function delete have removed all that belonged to them."""
    wait_for(
        lambda: not {each["metadata"]["name"] for each in cluster.api.list(SERVICES)} & {*names}
    )
    wait_for(lambda: not [name for name in names if stored(cluster, TENANT, name)], within=180)


def stored(cluster: Cluster, namespace: str, name: str) -> list[str]:
    found = []
    for kind in ("sources", "contexts", "packages", "kept", "logs"):
        prefix = f"{kind}/{namespace}/{name}/"
        answer = cluster.storage.list_objects_v2(Bucket="knative-lambda", Prefix=prefix)
        found += [item["Key"] for item in answer.get("Contents", ())]
    return found


@pytest.mark.timeout(900)
def test_a_folder_of_records_is_applied_changed_pruned_and_applied_to_nothing(
    cluster: Cluster, folder: list[dict[str, Any]]
):
    names = [item["metadata"]["name"] for item in folder]
    apply(cluster, *folder)
    await_done(cluster, *names)
    assert [served(cluster, name) for name in names[:3]] == [b"0", b"1", b"2"]

    changed = [manifest(name, f"new {name}") for name in names[:3]]
    for item in changed:
        item["metadata"]["labels"] = folder[0]["metadata"]["labels"]
    apply(cluster, *changed, *folder[3:])
    await_done(cluster, *names)
    wait_for(lambda: served(cluster, names[0]) == f"new {names[0]}".encode())
    assert served(cluster, names[3]) == b"3"
    revisions = cluster.api.list(SERVICES)
    latest = {
        each["metadata"]["name"]: each["status"]["latestReadyRevisionName"] for each in revisions
    }
    assert latest[names[0]] == f"{names[0]}-00002"
    assert latest[names[3]] == f"{names[3]}-00001"  # what did not change was not touched

    for name in names[:5]:
        cluster.api.delete(f"{RECORDS}/{name}")
    await_removed(cluster, *names[:5])
    assert served(cluster, names[5]) == b"5"

    apply(cluster, *folder)
    await_done(cluster, *names)
    assert [served(cluster, name) for name in names[:3]] == [b"0", b"1", b"2"]


def test_what_can_never_work_is_told_and_what_served_serves_on(cluster: Cluster, unique_name: str):
    apply(cluster, manifest(unique_name, "good"))
    await_done(cluster, unique_name)
    apply(cluster, manifest(unique_name, "bad", runtime="cobol1"))
    cluster.await_phase(unique_name, "Failed")
    status = (cluster.record(unique_name) or {})["status"]
    conditions = {each["type"]: each for each in status["conditions"]}
    assert conditions["Stalled"]["reason"] == conditions["Ready"]["reason"] == "UnsupportedRuntime"
    assert "cobol1" in conditions["Ready"]["message"]
    assert served(cluster, unique_name) == b"good"
    apply(cluster, manifest(unique_name, "mended"))
    await_done(cluster, unique_name)
    wait_for(lambda: served(cluster, unique_name) == b"mended")


def test_a_slow_build_does_not_hold_up_the_tenants_other_records(
    cluster: Cluster, unique_name: str, gate
):
    slow = manifest(f"{unique_name}-slow", "slow")
    slow["spec"]["source"]["inline"]["requirements.txt"] = gate.requirement
    apply(cluster, slow)
    wait_for(lambda: cluster.jobs_of(f"{unique_name}-slow"))
    apply(cluster, manifest(unique_name, "quick"))
    await_done(cluster, unique_name)
    assert not is_done(cluster.record(f"{unique_name}-slow") or {})
    gate.open()
    await_done(cluster, f"{unique_name}-slow")
    cluster.api.delete(f"{RECORDS}/{unique_name}-slow")


def test_a_record_that_is_removed_and_applied_at_once_again_and_again_serves(
    cluster: Cluster, unique_name: str
):
    apply(cluster, manifest(unique_name, "0"))
    await_done(cluster, unique_name)
    for number in range(1, 4):
        cluster.api.delete(f"{RECORDS}/{unique_name}")
        apply(cluster, manifest(unique_name, f"{number}"))
    await_done(cluster, unique_name)
    wait_for(lambda: served(cluster, unique_name) == b"3")


def test_a_record_that_is_applied_while_nobody_hears_of_it_is_taken_up_by_the_next_cleanup(
    cluster: Cluster, unique_name: str
):
    label = {"eventing.knative.dev/sourceName": "lambda-functions"}
    pods = f"/api/v1/namespaces/{CONTROL}/pods"
    (pod,) = cluster.api.list(pods, **label)
    # A source that restarts tells nothing of what changed meanwhile.
    cluster.api.delete(f"{pods}/{pod['metadata']['name']}", at_once=True)
    apply(cluster, manifest(unique_name, "late"))

    def is_taken_up() -> bool:
        # Until it is a minute old; the channel holds all events that it is sent, so not too many.
        cluster.send_cleanup()
        try:
            await_done(cluster, unique_name, within=20)
        except AssertionError:
            return False
        return True

    wait_for(is_taken_up, within=180)
    assert served(cluster, unique_name) == b"late"


def test_a_namespace_goes_at_once_with_all_of_its_lambdas(cluster: Cluster, recorder: Recorder):
    namespace, name = f"team-{uuid.uuid4().hex[:8]}", "goes"
    added = cluster.kn_lambda("tenant", "add", namespace)
    assert added.returncode == 0, added.stderr
    item = manifest(name, "goes", namespace=namespace)
    item["spec"]["source"]["inline"]["requirements.txt"] = SMALL
    place = f"{RECORDS.replace(f'/{TENANT}/', f'/{namespace}/')}/{name}"

    def is_ready() -> bool:
        # Until the sources have seen the new tenant.
        apply(cluster, item)
        item["metadata"].setdefault("annotations", {})
        item["metadata"]["annotations"]["knative-lambda.dev/redeploy"] = uuid.uuid4().hex
        try:
            wait_for(lambda: is_done(cluster.api.get(place) or {}), within=20)
        except (AssertionError, KeyError):
            return False
        return True

    wait_for(is_ready, within=180)
    assert stored(cluster, namespace, name)
    path = f"/api/v1/namespaces/{namespace}"
    cluster.api.delete(path)
    wait_for(lambda: cluster.api.get(path) is None, within=180)
    wait_for(lambda: not stored(cluster, namespace, name), within=180)
    wait_for(
        lambda: not cluster.api.list(JOBS, **{"knative-lambda.dev/function-namespace": namespace})
    )
    deleted = recorder.events(
        subject=f"{namespace}/{name}", type="dev.knative-lambda.function.deleted.v1"
    )
    assert deleted
