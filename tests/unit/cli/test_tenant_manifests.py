"""What `kn-lambda tenant add --dry-run=client` prints, and what it refuses, without a platform."""

from __future__ import annotations

import json

import pytest
import yaml

from kn_lambda.errors import ExitCode
from kn_lambda.tenants.manifests import COMPONENTS, RESOURCES, Tenant, tenant_manifests
from kn_lambda.tenants.subjects import Subject
from lambda_embedded.configuration.kustomization import read_kustomization
from tests.helpers.dev_overlay import REPOSITORY

DRY_RUN = ("--dry-run=client",)


@pytest.fixture
def printed(kn_lambda):
    """The objects of one command, which asks no platform."""

    def run(*arguments):
        result = kn_lambda("tenant", "add", *arguments, *DRY_RUN, "-o", "yaml")
        assert result.exit_code == ExitCode.OK, result.stderr
        return list(yaml.safe_load_all(result.stdout))

    return run


def one(items, kind, name):
    (found,) = [item for item in items if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


def test_they_are_those_of_the_tenant_in_config(printed):
    folder = REPOSITORY / "config" / "tenants" / "default"
    assert printed("default", "--adopt") == read_kustomization(folder)


def test_every_object_is_in_the_namespace_of_the_tenant(printed):
    items = printed("team-a")
    assert one(items, "Namespace", "team-a")
    places = {item["metadata"].get("namespace") for item in items if item["kind"] != "Namespace"}
    assert places == {"team-a"}


def test_of_every_kind_it_is_known_where_it_lives(printed):
    items = tenant_manifests(Tenant(name="team-a", components=COMPONENTS))
    assert {item["kind"] for item in items} == RESOURCES.keys()
    for item in items:
        assert RESOURCES[item["kind"]].root.endswith(item["apiVersion"])


def test_groups_and_users_are_bound_to_the_roles_of_people_in_this_namespace(printed):
    items = printed(
        "team-a", "--edit-group", "devs", "--edit-user", "ada@example.com", "--view-group", "all"
    )
    edit = one(items, "RoleBinding", "knative-lambda-edit")
    assert edit["metadata"]["namespace"] == "team-a"
    assert edit["roleRef"]["name"] == "knative-lambda-edit"
    assert [(each["kind"], each["name"]) for each in edit["subjects"]] == [
        ("Group", "devs"),
        ("User", "ada@example.com"),
    ]
    view = one(items, "RoleBinding", "knative-lambda-view")
    assert [each["name"] for each in view["subjects"]] == ["all"]


def test_whoever_has_rights_reads_the_settings_and_nothing_else_outside(printed):
    items = printed("team-a", "--edit-group", "devs", "--view-group", "all")
    outside = [item for item in items if item["metadata"].get("namespace") == "knative-lambda"]
    (binding,) = outside
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "knative-lambda-settings",
    }  # fmt: skip
    assert {each["name"] for each in binding["subjects"]} == {"devs", "all"}
    assert binding["metadata"]["name"] == "knative-lambda-settings-team-a"


def test_nobody_is_bound_to_kubernetes_own_roles(printed):
    items = printed("team-a", "--edit-group", "devs", "--view-user", "bob")
    roles = {item["roleRef"]["name"] for item in items if item["kind"] == "RoleBinding"}
    assert not roles & {"view", "edit", "admin", "cluster-admin"}


def test_a_quota_replaces_what_it_names_and_leaves_the_rest(printed):
    before = one(printed("team-a"), "ResourceQuota", "lambdas")["spec"]["hard"]
    after = one(
        printed("team-a", "--quota", "cpu=2,limits.memory=4Gi", "--quota", "pods=7"),
        "ResourceQuota",
        "lambdas",
    )["spec"]["hard"]
    assert after == before | {"requests.cpu": "2", "limits.memory": "4Gi", "pods": "7"}


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        ("cpu", "must be RESOURCE=QUANTITY"),
        ("cpus=1", "must be RESOURCE=QUANTITY"),
        ("cpu=much", "must be a quantity"),
        ("cpu=-1", "must be a quantity"),
        ("cpu=1,,", "must be RESOURCE=QUANTITY"),
        ("cpu=" + "9" * 10_000, "must be a quantity"),
    ],
    ids=["no quantity", "unknown", "a word", "negative", "an empty one", "a long one"],
)
def test_a_wrong_quota_is_wrong_usage_that_names_it(kn_lambda, quota, said):
    result = kn_lambda("tenant", "add", "team-a", "--quota", quota, *DRY_RUN)
    assert result.exit_code == ExitCode.USAGE
    assert "--quota" in result.stderr
    assert said in result.stderr
    assert len(result.stderr) < 2000


def test_components_are_those_of_config(printed):
    items = printed("team-a", "--component", "kafka-broker", "--component", "pull-secret")
    broker = one(items, "Broker", "default")
    assert broker["metadata"]["annotations"] == {"eventing.knative.dev/broker.class": "Kafka"}
    account = one(items, "ServiceAccount", "default")
    assert account["imagePullSecrets"] == [{"name": "knative-lambda-pull"}]


def test_who_names_no_component_is_told_that_no_cluster_was_asked(kn_lambda):
    assert "No cluster was asked" in kn_lambda("tenant", "add", "team-a", *DRY_RUN).stderr
    named = ("--component", "kafka-broker")
    assert kn_lambda("tenant", "add", "team-a", *named, *DRY_RUN).stderr == ""


@pytest.mark.parametrize(
    "name", ["kube-system", "kube-team", "knative-serving", "knative-lambda", "knative-eventing"]
)
@pytest.mark.parametrize("command", ["add", "describe", "remove"])
def test_a_namespace_of_the_cluster_or_of_knative_is_never_a_tenant(kn_lambda, command, name):
    options = ("--adopt",) if command == "add" else ()
    result = kn_lambda("tenant", command, name, *options)
    assert result.exit_code == ExitCode.USAGE
    assert f"namespace {name} belongs to the cluster or to Knative" in result.stderr


@pytest.mark.parametrize("name", ["Team", "team_a", "-a", "a" * 64, "../x"])
def test_what_cannot_be_a_namespace_is_wrong_usage(kn_lambda, name):
    result = kn_lambda("tenant", "add", *DRY_RUN, "--", name)
    assert result.exit_code == ExitCode.USAGE
    assert "invalid tenant" in result.stderr


def test_default_is_printed_only_on_purpose(kn_lambda):
    result = kn_lambda("tenant", "add", "default", *DRY_RUN)
    assert result.exit_code == ExitCode.USAGE
    assert "--adopt" in result.stderr
    assert result.stdout == ""


def test_another_namespace_beside_the_name_is_wrong_usage(kn_lambda):
    result = kn_lambda("tenant", "add", "team-a", "-n", "team-b", *DRY_RUN)
    assert result.exit_code == ExitCode.USAGE
    assert "omit --namespace" in result.stderr


@pytest.mark.parametrize(
    "name", ["x" * 1025, "a\nb", " a", "a\x1b[2J"], ids=["long", "two lines", "blank", "escape"]
)
def test_a_name_that_no_authentication_gives_is_wrong_usage(kn_lambda, name):
    result = kn_lambda("tenant", "add", "team-a", "--edit-group", name, *DRY_RUN)
    assert result.exit_code == ExitCode.USAGE
    assert "invalid --edit-group" in result.stderr
    assert len(result.stderr) < 1000


def test_nobody_gets_rights_and_loses_them_at_once(kn_lambda):
    options = ("--edit-group", "devs", "--revoke", "devs")
    result = kn_lambda("tenant", "add", "team-a", *options, *DRY_RUN)
    assert result.exit_code == ExitCode.USAGE


def test_without_an_output_a_rehearsal_lists_what_it_would_make(kn_lambda):
    lines = kn_lambda("tenant", "add", "team-a", *DRY_RUN).stdout.splitlines()
    assert lines[0] == "namespace/team-a created (dry run)"
    assert "networkpolicy.networking.k8s.io/default-deny created (dry run)" in lines


def test_in_json_they_are_one_list(kn_lambda):
    result = kn_lambda("tenant", "add", "team-a", *DRY_RUN, "-o", "json")
    document = json.loads(result.stdout)
    assert document["kind"] == "List"
    assert document["items"] == tenant_manifests(Tenant(name="team-a"))


def test_options_before_the_command_count_as_those_after_it(kn_lambda):
    for arguments in (
        ("-o", "json", "tenant", "add", "team-a"),
        ("tenant", "-o", "json", "add", "team-a"),
    ):
        assert json.loads(kn_lambda(*arguments, *DRY_RUN).stdout)["kind"] == "List"


def test_a_misspelt_command_names_the_right_one(kn_lambda):
    result = kn_lambda("tenant", "ad")
    assert result.exit_code == ExitCode.USAGE
    assert "add" in result.stderr


@pytest.mark.parametrize("name", ["add", "list", "describe", "remove"])
def test_the_list_of_commands_says_what_the_help_of_each_says_first(kn_lambda, name):
    first = kn_lambda("tenant", name, "--help").stdout.split("\n\n")[1]
    said = " ".join(first.split())
    assert said in " ".join(kn_lambda("tenant", "--help").stdout.split())


def test_a_subject_of_another_namespace_keeps_it():
    robot = Subject(kind="ServiceAccount", name="ci", namespace="tools")
    (edit, *_) = tenant_manifests(Tenant(name="team-a", editors=(robot,)))[-2:]
    assert edit["subjects"] == [{"kind": "ServiceAccount", "name": "ci", "namespace": "tools"}]
