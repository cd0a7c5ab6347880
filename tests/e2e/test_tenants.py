"""Self-service on a cluster: tenants by command, and people by Kubernetes' own rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.cluster import Cluster

EDIT, VIEW, OTHERS = "team-a-developers", "team-a-support", "team-b-developers"
RECORDS = "/apis/knative-lambda.dev/v1alpha1/namespaces/{}/lambdafunctions"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
PATIENCE_SECONDS = 180.0


def run(cluster: Cluster, *arguments: str) -> str:
    done = cluster.kn_lambda(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def tenant(cluster: Cluster, unique_name: str) -> Iterator[str]:
    """A tenant of this test alone, with one group that edits and one that views."""
    name = f"t-{unique_name}"[:40].rstrip("-")
    run(cluster, "tenant", "add", name, "--edit-group", EDIT, "--view-group", VIEW)
    yield name
    cluster.api.delete(f"/api/v1/namespaces/{name}")
    cluster.api.delete(f"{BINDINGS.format('knative-lambda')}/knative-lambda-settings-{name}")


def may(cluster: Cluster, team: str, verb: str, namespace: str, **attributes: str) -> bool:
    about = {"group": "knative-lambda.dev", "resource": "lambdafunctions", **attributes}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "somebody",
            "groups": [team, "system:authenticated"],
            "resourceAttributes": {**about, "verb": verb, "namespace": namespace},
        },
    }
    answer = cluster.api.request("POST", REVIEWS, review)
    assert answer.status == 201, answer
    return bool(answer.data["status"]["allowed"])


def hello(name: str, namespace: str, runtime: str) -> dict[str, Any]:
    files = {"main.py": "def handler(request):\n    return 'hello'\n"}
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"runtime": runtime, "signature": "http", "source": {"inline": files}},
    }


def is_ready(cluster: Cluster, path: str) -> bool:
    status = (cluster.api.get(path) or {}).get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    return conditions.get("Ready") == "True"


def test_a_record_that_is_applied_in_a_new_tenant_is_a_lambda(cluster: Cluster, tenant: str):
    path = RECORDS.format(tenant)
    answer = cluster.api.request("POST", path, hello("hello", tenant, cluster.runtime))
    assert answer.status == 201, answer
    wait_for(lambda: is_ready(cluster, f"{path}/hello"), within=PATIENCE_SECONDS)

    def listed() -> dict[str, Any]:
        found = json.loads(run(cluster, "tenant", "list", "-o", "json"))
        (own,) = [each for each in found if each["name"] == tenant]
        return own

    assert listed()["lambdas"] == {"Ready": 1}
    # Kubernetes counts what the quota limits, in its own time.
    wait_for(lambda: listed()["quota"]["used"].keys() == listed()["quota"]["hard"].keys())
    described = json.loads(run(cluster, "tenant", "describe", tenant, "-o", "json"))
    assert (described["broker"], described["drift"]) == ("ready", [])

    refused = cluster.kn_lambda("tenant", "remove", tenant, "--yes")
    assert (refused.returncode, "hello" in refused.stderr) == (1, True)
    run(cluster, "tenant", "remove", tenant, "--yes", "--delete-lambdas")
    assert cluster.api.list(path) == []
    services = f"/apis/serving.knative.dev/v1/namespaces/{tenant}/services"
    assert cluster.api.list(services) == []
    assert not may(cluster, EDIT, "create", tenant)


def test_each_team_has_its_own_namespace_and_no_other(cluster: Cluster, tenant: str):
    for verb in ("get", "list", "watch", "create", "update", "patch", "delete"):
        assert may(cluster, EDIT, verb, tenant)
        assert not may(cluster, EDIT, verb, "default")
        assert not may(cluster, OTHERS, verb, tenant)
        assert may(cluster, VIEW, verb, tenant) == (verb in {"get", "list", "watch"})
    for group in (EDIT, VIEW):
        assert may(cluster, group, "get", tenant, group="", resource="pods", subresource="log")
        assert not may(cluster, group, "update", tenant, subresource="status")
        assert not may(cluster, group, "get", tenant, group="", resource="secrets")
        policies = {"group": "networking.k8s.io", "resource": "networkpolicies"}
        assert not may(cluster, group, "delete", tenant, **policies)


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_who_has_kubernetes_own_role_has_that_of_lambdas_too(
    cluster: Cluster, tenant: str, role: str
):
    """The controller that aggregates ClusterRoles has added ours."""
    group = f"{tenant}-by-{role}"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"by-{role}", "namespace": tenant},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }
    assert cluster.api.request("POST", BINDINGS.format(tenant), binding).status == 201
    wait_for(lambda: may(cluster, group, "list", tenant))
    assert may(cluster, group, "create", tenant) == (role != "view")
    assert not may(cluster, group, "update", tenant, subresource="status")


def test_a_tenant_that_is_added_again_does_not_change(cluster: Cluster, tenant: str):
    # What the controllers of Knative and Kubernetes have filled in since is no conflict.
    lines = run(cluster, "tenant", "add", tenant).splitlines()
    assert {line.rpartition(" ")[2] for line in lines} == {"unchanged"}
    # Nor is what `kubectl apply -k` made.
    run(cluster, "tenant", "add", "default", "--dry-run=server")


def test_a_namespace_that_is_gone_leaves_no_right_behind(cluster: Cluster, tenant: str):
    run(cluster, "tenant", "remove", tenant, "--yes", "--delete-namespace")
    wait_for(
        lambda: cluster.api.get(f"/api/v1/namespaces/{tenant}") is None, within=PATIENCE_SECONDS
    )
    left = cluster.api.get(f"{BINDINGS.format('knative-lambda')}/knative-lambda-settings-{tenant}")
    assert left is None
