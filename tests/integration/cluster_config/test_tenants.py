"""`kn-lambda tenant` on a real API server: rights, adoption, conflicts, drift and revocation."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from kn_lambda.cluster.api import ClusterApi
from kn_lambda.cluster.http import HttpClient
from kn_lambda.cluster.installation import Installation
from kn_lambda.errors import ExitCode
from kn_lambda.main import cli
from tests.integration.cluster_config.helpers.records import record

pytestmark = pytest.mark.xdist_group("api-server")

RECORDS = "/apis/knative-lambda.dev/v1alpha1/namespaces/{}/lambdafunctions"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"
LAMBDAS = {"group": "knative-lambda.dev", "resource": "lambdafunctions"}


@pytest.fixture
def run(installed, tmp_path):
    """`run("list")` is click's Result of `kn-lambda tenant list`."""
    api = ClusterApi(kubeconfig=str(installed.kubeconfig))
    installation = Installation(api=api, http=HttpClient(), name="tests", is_embedded=False)

    def run(*arguments):
        return CliRunner(env={"KN_LAMBDA_HOME": str(tmp_path), "KUBECONFIG": None}).invoke(
            cli, ["tenant", *arguments], obj=lambda _options: installation
        )

    yield run
    api.close()


@pytest.fixture
def tenant(installed, request):
    """The name of a namespace of this test alone, which is not there yet."""
    words = request.node.name.removeprefix("test_").partition("[")[0].split("_")
    return "t-" + "-".join(words)[:50].strip("-")


def done(result):
    assert result.exit_code == ExitCode.OK, result.stderr
    return result.stdout


def may(server, who, verb, namespace, **attributes):
    attributes = {**LAMBDAS, **attributes, "verb": verb, "namespace": namespace}
    return server.may(who, ["system:authenticated", who], attributes)


def names(server, path):
    return {item["metadata"]["name"] for item in server.request("GET", path)[1]["items"]}


def test_a_team_that_edits_writes_records_in_its_namespace_and_nowhere_else(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs"))
    for verb in ("get", "list", "watch", "create", "update", "patch", "delete"):
        assert may(installed, "devs", verb, tenant)
        assert not may(installed, "devs", verb, "default")
    for verb in ("update", "patch"):
        assert not may(installed, "devs", verb, tenant, subresource="status")


def test_a_team_that_edits_has_no_way_around_what_bounds_the_tenant(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs"))
    for group, resource in (
        ("networking.k8s.io", "networkpolicies"),
        ("", "resourcequotas"),
        ("", "limitranges"),
        ("", "pods"),
        ("", "serviceaccounts"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("eventing.knative.dev", "brokers"),
        ("eventing.knative.dev", "triggers"),
        ("serving.knative.dev", "services"),
    ):
        for verb in ("create", "update", "patch", "delete"):
            assert not may(installed, "devs", verb, tenant, group=group, resource=resource)
    for verb in ("get", "list", "watch", "update", "patch"):
        assert not may(installed, "devs", verb, tenant, group="", resource="secrets")


def test_the_account_that_lambdas_run_as_may_do_nothing(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs"))
    account = f"system:serviceaccount:{tenant}:default"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{tenant}", "system:authenticated"]
    for group, resource in (
        ("knative-lambda.dev", "lambdafunctions"),
        ("", "secrets"),
        ("", "configmaps"),
        ("", "pods"),
        ("serving.knative.dev", "services"),
        ("rbac.authorization.k8s.io", "rolebindings"),
    ):
        for verb in ("get", "list", "create", "update", "delete"):
            about = {"group": group, "resource": resource, "verb": verb, "namespace": tenant}
            assert not installed.may(account, groups, about)


def test_a_team_that_views_reads_and_changes_nothing(installed, run, tenant):
    done(run("add", tenant, "--view-user", "eve"))
    assert may(installed, "eve", "list", tenant)
    assert may(installed, "eve", "get", tenant, group="", resource="pods", subresource="log")
    for verb in ("create", "update", "patch", "delete"):
        assert not may(installed, "eve", verb, tenant)
        assert not may(installed, "eve", verb, tenant, group="", resource="secrets")


def test_who_has_rights_reads_the_settings_of_the_installation(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs-of-settings"))
    about = {"group": "", "resource": "configmaps"}

    def may_get(name):
        return may(installed, "devs-of-settings", "get", "knative-lambda", **about, name=name)

    assert may_get("knative-lambda-settings")
    assert not may_get("another")


def test_again_nothing_changes_and_what_no_option_names_stays(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs", "--quota", "cpu=3"))
    lines = done(run("add", tenant)).splitlines()
    assert {line.rpartition(" ")[2] for line in lines} == {"unchanged"}
    done(run("add", tenant, "--view-user", "eve"))
    (document,) = [
        each for each in json.loads(done(run("list", "-o", "json"))) if each["name"] == tenant
    ]
    assert document["quota"]["hard"]["requests.cpu"] == "3"
    assert [each["name"] for each in document["mayEdit"]] == ["devs"]
    assert [each["name"] for each in document["mayView"]] == ["eve"]


def test_a_right_is_revoked_by_name_and_an_empty_binding_goes(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs", "--edit-user", "ada", "--view-user", "eve"))
    done(run("add", tenant, "--revoke", "devs", "--revoke", "eve"))
    assert not may(installed, "devs", "create", tenant)
    assert may(installed, "ada", "create", tenant)
    assert "knative-lambda-view" not in names(installed, BINDINGS.format(tenant))
    unknown = run("add", tenant, "--revoke", "nobody")
    assert unknown.exit_code == ExitCode.NOT_FOUND
    assert "nobody has no rights" in unknown.stderr


def test_the_broker_and_the_account_are_as_the_installation_has_them(installed, run, tenant):
    done(run("add", tenant))
    broker = f"/apis/eventing.knative.dev/v1/namespaces/{tenant}/brokers/default"
    annotations = installed.request("GET", broker)[1]["metadata"]["annotations"]
    assert annotations["eventing.knative.dev/broker.class"] == "Kafka"
    account = f"/api/v1/namespaces/{tenant}/serviceaccounts/default"
    assert installed.request("GET", account)[1]["imagePullSecrets"] == [
        {"name": "knative-lambda-pull"}
    ]


def test_a_namespace_with_other_inhabitants_is_adopted_only_on_purpose(installed, run, tenant):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tenant}}
    installed.request("POST", "/api/v1/namespaces", namespace)
    refused = run("add", tenant)
    assert refused.exit_code == ExitCode.FAILED
    assert "exists and is not a tenant; nothing was changed" in refused.stderr
    assert names(installed, BINDINGS.format(tenant)) == set()
    done(run("add", tenant, "--adopt"))


def test_a_field_of_somebody_else_is_taken_over_only_on_purpose(installed, run, tenant):
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    metadata = {"name": tenant, "labels": labels}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    installed.request("POST", "/api/v1/namespaces", namespace)
    conflict = run("add", tenant, "--adopt")
    assert conflict.exit_code == ExitCode.FAILED
    assert "pod-security.kubernetes.io/enforce" in conflict.stderr
    assert "--force-conflicts" in conflict.stderr
    done(run("add", tenant, "--adopt", "--force-conflicts"))
    _, found = installed.request("GET", f"/api/v1/namespaces/{tenant}")
    assert found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_server_checks_a_rehearsal_and_changes_nothing(installed, run, tenant):
    assert "(server dry run)" in done(run("add", tenant, "--dry-run=server"))
    assert installed.request("GET", f"/api/v1/namespaces/{tenant}")[0] == 404
    done(run("add", tenant))
    said = done(run("add", tenant, "--quota", "pods=1", "--dry-run=server"))
    assert "resourcequota/lambdas configured (server dry run)" in said
    quota = f"/api/v1/namespaces/{tenant}/resourcequotas/lambdas"
    assert installed.request("GET", quota)[1]["spec"]["hard"]["pods"] == "200"


def test_what_git_holds_and_kubectl_applies_is_the_same_tenant(installed, run, tenant, tmp_path):
    options = ("--edit-group", "devs", "--component", "kafka-broker", "--component", "pull-secret")
    printed = done(run("add", tenant, *options, "--dry-run=client", "-o", "yaml"))
    (tmp_path / "tenant.yaml").write_text(printed)
    installed.run("apply", "-f", str(tmp_path / "tenant.yaml"))
    assert "All manifests are there." in done(run("describe", tenant))
    lines = done(run("add", tenant)).splitlines()
    assert {line.rpartition(" ")[2] for line in lines} == {"unchanged"}


def test_describe_finds_what_was_taken_away_widened_or_narrowed(installed, run, tenant):
    done(run("add", tenant))
    policies = f"/apis/networking.k8s.io/v1/namespaces/{tenant}/networkpolicies"
    assert installed.request("DELETE", f"{policies}/to-names")[0] == 200
    _, deny = installed.request("GET", f"{policies}/default-deny")
    deny["spec"]["podSelector"] = {"matchLabels": {"a": "b"}}
    assert installed.request("PUT", f"{policies}/default-deny", deny)[0] == 200
    _, internet = installed.request("GET", f"{policies}/to-the-internet")
    internet["spec"]["egress"].append({})
    assert installed.request("PUT", f"{policies}/to-the-internet", internet)[0] == 200
    result = run("describe", tenant, "-o", "yaml")
    assert result.exit_code == ExitCode.FAILED
    assert "--force-conflicts" in result.stderr
    prefix = "networkpolicy.networking.k8s.io/"
    assert {
        each["object"].removeprefix(prefix): each["found"]
        for each in yaml.safe_load(result.stdout)["drift"]
    } == {
        "to-names": "missing",
        "default-deny": "differs in spec.podSelector",
        "to-the-internet": "differs in spec.egress",
    }
    done(run("add", tenant, "--force-conflicts"))
    done(run("describe", tenant))


def test_a_policy_that_the_tenant_has_beside_its_own_is_no_drift(installed, run, tenant):
    done(run("add", tenant))
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "to-the-database"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
    }
    path = f"/apis/networking.k8s.io/v1/namespaces/{tenant}/networkpolicies"
    assert installed.request("POST", path, policy)[0] == 201
    done(run("describe", tenant))


def test_remove_revokes_everything_and_leaves_what_is_not_ours(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs", "--view-user", "eve"))
    done(run("remove", tenant, "--yes"))
    assert not may(installed, "devs", "create", tenant)
    assert not may(installed, "eve", "get", tenant)
    builder = "system:serviceaccount:knative-lambda:build-start"
    assert not may(installed, builder, "create", tenant)
    assert names(installed, BINDINGS.format(tenant)) == set()
    assert f"knative-lambda-settings-{tenant}" not in (
        names(installed, BINDINGS.format("knative-lambda"))
    )
    for path in (
        f"/apis/networking.k8s.io/v1/namespaces/{tenant}/networkpolicies",
        f"/api/v1/namespaces/{tenant}/resourcequotas",
        f"/api/v1/namespaces/{tenant}/limitranges",
        f"/apis/eventing.knative.dev/v1/namespaces/{tenant}/brokers",
    ):
        assert names(installed, path) == set()
    _, namespace = installed.request("GET", f"/api/v1/namespaces/{tenant}")
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": tenant}
    account = f"/api/v1/namespaces/{tenant}/serviceaccounts/default"
    assert installed.request("GET", account)[1].keys() == {"apiVersion", "kind", "metadata"}


def test_a_tenant_with_functions_stays_as_it_is(installed, run, tenant):
    done(run("add", tenant, "--edit-group", "devs"))
    source = {"source": {"inline": {"main.py": ""}}, "runtime": "python3.11"}
    status, made = installed.request(
        "POST", RECORDS.format(tenant), record("hello", spec=source)
        | {"metadata": {"name": "hello", "namespace": tenant}},
    )  # fmt: skip
    assert status == 201, made
    refused = run("remove", tenant, "--yes")
    assert refused.exit_code == ExitCode.FAILED
    assert "hello" in refused.stderr
    assert may(installed, "devs", "create", tenant)


def test_what_a_namespace_left_behind_that_is_gone_is_revoked_by_its_name(installed, run, tenant):
    options = ("--edit-group", "devs-of-before", "--dry-run=client", "-o", "json")
    items = json.loads(done(run("add", tenant, *options)))["items"]
    (left,) = [each for each in items if each["metadata"].get("namespace") == "knative-lambda"]
    assert installed.request("POST", BINDINGS.format("knative-lambda"), left)[0] == 201
    assert left["metadata"]["name"] in done(run("remove", tenant))
    assert left["metadata"]["name"] not in names(installed, BINDINGS.format("knative-lambda"))
    assert run("remove", tenant).exit_code == ExitCode.NOT_FOUND


def test_default_is_kubernetes_own_and_not_deleted(run):
    refused = run("remove", "default", "--delete-namespace", "--yes")
    assert refused.exit_code == ExitCode.USAGE
    assert "cannot be deleted" in refused.stderr
