"""What the audit log of the whole run says: nothing was denied, and no right is in vain."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.cluster import BUILDS, CONTROL, JOBS, RECORDS, TENANT
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster

pytestmark = pytest.mark.timeout(600)

FUNCTIONS = ("build-start", "publish", "build-complete", "delete", "cleanup")
HELLO = "def handler(event):\n    return 'hello'\n"
# Whatever installs packages has a Job.
PACKAGED = {"main.py": HELLO, "requirements.txt": "h11==0.16.0\n"}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# By then the events of a Job's end have been answered, also where the node is busy.
ANSWERED = timedelta(seconds=20)
# A server-side apply is one request, shows as a patch, and asks for both rights.
BY_PATCH = {("tenant", "create", "services"), ("tenant", "create", "triggers")}
# Of races, of builds that wait for others, of an ApiServerSource that is down, and of images that
# outlive their lambda: tests/integration/cluster_config brings them about.
OF_RACES = {
    "build-start": {
        ("tenant", "delete", "lambdafunctions"),
        ("builds", "patch", "jobs"),
        ("builds", "delete", "jobs"),
        ("builds", "get", "secrets"),
        ("builds", "delete", "secrets"),
    },
    "cleanup": {
        ("tenant", "patch", "lambdafunctions"),
        ("cluster", "list", "services"),
        ("cluster", "list", "revisions"),
    },
}

Right = tuple[str, str, str]
"""Where (builds, tenant, cluster), a verb, a resource."""


@pytest.fixture(scope="module")
def audit_log(cluster: Cluster) -> Path:
    file = cluster.environment.get("TESTBED_AUDIT_LOG")
    if file is None:
        pytest.skip("TESTBED_AUDIT_LOG is not set: this cluster's audit log cannot be read here")
    return Path(file)


@pytest.fixture(scope="module")
def lived(cluster: Cluster, recorder: Recorder, audit_log: Path) -> Path:
    """The audit log, once everything that the functions ever do has been done."""
    name = f"fn-{datetime.now(UTC):%H%M%S}-all"
    files = {"main.py": HELLO}
    for type_ in ("com.example.one", "com.example.two"):
        cluster.send_build_start(name, files, spec={"subscriptions": [{"type": type_}]})
        wait_for(lambda type_=type_: subscribed_types(cluster, name) == [type_])
        cluster.await_phase(name, "Ready")
    cluster.send_build_start(name, {"main.py": "import no_such_module\n"})
    cluster.await_phase(name, "Failed")
    fail_twice(cluster, recorder, name)
    be_refused(cluster, f"{name}-refused")
    lose_track(cluster, name)
    orphan_a_build(cluster, f"{name}-building")
    orphan_a_job(cluster, f"{name}-ready")
    whole = {"subscriptions": [{"type": "com.example.three"}]}
    # Other packages than those that are kept: else there were no Job for delete to remove.
    anew = {"main.py": HELLO + "#\n", "requirements.txt": "h11==0.16.0  # anew\n"}
    cluster.send_build_start(name, anew, spec=whole)
    cluster.await_phase(name, "Ready")
    assert cluster.jobs_of(name)
    cluster.send_delete(name)
    cluster.await_gone(name)
    return audit_log


def subscribed_types(cluster: Cluster, name: str) -> list[str]:
    return [each["spec"]["filters"][0]["exact"]["type"] for each in cluster.triggers_of(name)]


def fail_twice(cluster: Cluster, recorder: Recorder, name: str) -> None:
    """The second time with a Job in place of the first one."""
    broken = {"main.py": HELLO, "requirements.txt": "no-such-package-anywhere==1.0\n"}
    failed = "dev.knative-lambda.build.failed.v1"
    for _ in range(2):
        before = len(recorder.events(subject=f"{TENANT}/{name}", type=failed))
        cluster.send_build_start(name, broken)
        wait_for(
            lambda before=before: (
                len(recorder.events(subject=f"{TENANT}/{name}", type=failed)) > before
            )
        )


def be_refused(cluster: Cluster, name: str) -> None:
    """A source that is not there, which an Event tells of."""
    missing = {"source": {"uri": f"s3://knative-lambda-sources/{TENANT}/{name}.zip"}}
    cluster.send_build_start(name, {}, spec=missing)
    events = f"/api/v1/namespaces/{TENANT}/events"
    wait_for(
        lambda: name in {event["involvedObject"]["name"] for event in cluster.api.list(events)}
    )


def lose_track(cluster: Cluster, name: str) -> None:
    """A record that still waits, for a Job that ended long ago and for one that is gone."""
    cluster.send_build_start(name, PACKAGED)
    cluster.await_phase(name, "Ready")
    # Until its own events have been answered, which would have the end written again.
    wait_for(lambda: all(ended(job, ANSWERED) for job in cluster.jobs_of(name)))
    forget_the_end(cluster, name)
    # Only then does cleanup have it told of again.
    wait_for(lambda: all(ended(job, timedelta(seconds=62)) for job in cluster.jobs_of(name)))
    cluster.send_cleanup()
    wait_for(lambda: any(map(is_announced, cluster.jobs_of(name))))
    cluster.await_phase(name, "Ready")
    for job in cluster.jobs_of(name):
        # Without a finalizer for dependents, whose update is one more event that tells of the end.
        path = f"/apis/batch/v1/namespaces/{BUILDS}/jobs/{job['metadata']['name']}"
        cluster.api.delete(f"{path}?propagationPolicy=Background")
    wait_for(lambda: not cluster.jobs_of(name))
    forget_the_end(cluster, name)
    cluster.send_cleanup()
    cluster.await_phase(name, "Failed")


def forget_the_end(cluster: Cluster, name: str) -> None:
    """What is left where the event of a Job's end was lost, an hour ago."""

    def is_written() -> bool:
        record = cluster.record(name) or {}
        build = record["status"]["build"]
        for field in ("completedBy", "finishedAt", "reason", "message"):
            build.pop(field, None)
        build["startedAt"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        record["status"]["phase"] = "Building"
        answer = cluster.api.request("PUT", f"{RECORDS}/{name}/status", record)
        assert answer.status in {200, 409}, answer
        return answer.status == 200

    # Whoever wrote how it ended may be about to add where the log is.
    wait_for(is_written)


def build_of(cluster: Cluster, name: str) -> dict[str, Any]:
    found: dict[str, Any] = ((cluster.record(name) or {}).get("status") or {}).get("build") or {}
    return found


def ended(job: dict[str, Any], before: timedelta) -> bool:
    """Whether a Job ended that long ago."""
    status = job["status"]
    if status.get("failed"):
        return True  # of another request
    at = status.get("completionTime")
    return at is not None and datetime.now(UTC) - datetime.fromisoformat(at) > before


def is_announced(job: dict[str, Any]) -> bool:
    return "knative-lambda.dev/announced-at" in job["metadata"]["annotations"]


def orphan_a_build(cluster: Cluster, name: str) -> None:
    """Its record goes while it runs, and so its Job."""
    cluster.send_request(name, PACKAGED)
    # Until build-start has written it down; before that, it would remove the Job itself.
    wait_for(lambda: build_of(cluster, name).get("job"))
    cluster.api.delete(f"{RECORDS}/{name}")
    wait_for(lambda: not cluster.jobs_of(name))


def orphan_a_job(cluster: Cluster, name: str) -> None:
    """Its record goes when the build is over, and so its Job; one that nobody was told of stays.

    That one goes with the next pass of cleanup.
    """
    cluster.send_build_start(name, PACKAGED)
    cluster.await_phase(name, "Ready")
    # Until its own events have been answered; they would find it without its lambda too.
    wait_for(lambda: all(ended(job, ANSWERED) for job in cluster.jobs_of(name)))
    (job,) = cluster.jobs_of(name)
    cluster.api.delete(f"{RECORDS}/{name}")
    wait_for(lambda: not cluster.jobs_of(name))
    left = without_run(job)
    assert cluster.api.request("POST", JOBS, left).status == 201
    cluster.send_cleanup()
    wait_for(lambda: not cluster.jobs_of(name))


def without_run(job: dict[str, Any]) -> dict[str, Any]:
    """The same Job, suspended, as a new one."""
    metadata = {key: job["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    spec = {**job["spec"], "suspend": True}
    spec.pop("selector", None)
    template = dict(spec["template"])
    template["metadata"] = {
        key: value for key, value in template["metadata"].items() if key == "annotations"
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            **metadata,
            "labels": {
                key: value
                for key, value in metadata["labels"].items()
                if "job-name" not in key and "controller-uid" not in key
            },
        },
        "spec": {**spec, "template": template},
    }


def requests_of(file: Path, function: str) -> Iterator[dict[str, Any]]:
    """What a function asked of the API since the cluster started."""
    user = f"system:serviceaccount:{CONTROL}:{function}"
    with file.open() as lines:
        for line in lines:
            if user in line:
                entry = json.loads(line)
                if entry["user"]["username"] == user and "objectRef" in entry:
                    yield entry


def used(entry: dict[str, Any]) -> Right:
    reference = entry["objectRef"]
    resource = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
    return scope(reference.get("namespace")), entry["verb"], resource


def scope(namespace: str | None) -> str:
    return "cluster" if namespace is None else "builds" if namespace == BUILDS else "tenant"


def granted(cluster: Cluster, function: str) -> set[Right]:
    """Every right that a binding gives to a function's account."""
    found = set()
    for kind in ("rolebindings", "clusterrolebindings"):
        for binding in cluster.api.list(f"{RBAC}/{kind}"):
            account = {"kind": "ServiceAccount", "name": function, "namespace": CONTROL}
            if account in (binding.get("subjects") or ()):
                where = scope(binding["metadata"].get("namespace"))
                found |= {
                    (where, verb, resource)
                    for rule in rules(cluster, binding)
                    for verb in rule["verbs"]
                    for resource in rule["resources"]
                }
    return found


def rules(cluster: Cluster, binding: dict[str, Any]) -> list[dict[str, Any]]:
    role, namespace = binding["roleRef"], binding["metadata"].get("namespace")
    place = f"namespaces/{namespace}/roles" if role["kind"] == "Role" else "clusterroles"
    item = cluster.api.get(f"{RBAC}/{place}/{role['name']}") or {}
    found: list[dict[str, Any]] = item["rules"]
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_was_denied_to_a_function(lived: Path, function: str):
    denied = {
        used(entry)
        for entry in requests_of(lived, function)
        if entry["responseStatus"]["code"] == 403
    }
    assert denied == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_no_right_that_it_never_used(cluster: Cluster, lived: Path, function: str):
    rights = granted(cluster, function)
    assert rights
    seen = {used(entry) for entry in requests_of(lived, function)}
    # Who may do something everywhere has used that by doing it somewhere.
    seen |= {("cluster", verb, resource) for _, verb, resource in seen}
    excused = BY_PATCH | OF_RACES.get(function, set())
    assert rights - seen - excused == set()


@pytest.mark.parametrize("function", ["dead-letter", "api"])
def test_what_has_no_right_asked_nothing_in_its_own_name(lived: Path, function: str):
    assert list(requests_of(lived, function)) == []
