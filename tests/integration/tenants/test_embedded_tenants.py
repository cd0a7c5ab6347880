"""`kn-lambda tenant` on the embedded platform's API, which has some kinds of a tenant's."""

from __future__ import annotations

import json

import pytest

from kn_lambda.errors import ExitCode
from tests.helpers.running_api import RunningApi

SETTINGS = {
    "metadata": {"namespace": "knative-lambda", "name": "knative-lambda-settings"},
    "data": {},
}
LABEL = "knative-lambda.dev/tenant"
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
SPEC = {"runtime": "python3.11", "source": {"inline": {"main.py": "handler = print"}}}


@pytest.fixture
def api(tmp_path):
    api = RunningApi(tmp_path)
    api.start()
    try:
        default = api.call(api.objects.get, "Namespace", "", "default")
        default["metadata"]["labels"] = {LABEL: "true"}
        api.call(api.objects.update, "Namespace", default)
        api.call(api.objects.create, "Namespace", {"metadata": {"name": "knative-lambda"}})
        api.call(api.objects.create, "ConfigMap", SETTINGS)
        yield api
    finally:
        api.stop()


@pytest.fixture
def run(api, command_line):
    return command_line(api.kubeconfig, is_embedded=True)


@pytest.fixture
def find(api):
    """`find("Broker", "team-a", "default")` is the object, or None."""
    return lambda *identity: api.call(api.objects.find, *identity)


@pytest.fixture
def put_function(api):
    def put(name, namespace="team-a"):
        item = {"metadata": {"namespace": namespace, "name": name}, "spec": SPEC}
        api.call(api.objects.create, "LambdaFunction", item)

    return put


def done(result):
    assert result.exit_code == ExitCode.OK, result.stderr
    return result.stdout


def test_a_new_tenant_has_a_namespace_and_a_broker(run, find):
    lines = done(run("tenant", "add", "team-a")).splitlines()
    assert "namespace/team-a created" in lines
    assert "broker.eventing.knative.dev/default created" in lines
    assert find("Namespace", "", "team-a")["metadata"]["labels"][LABEL] == "true"
    assert find("Broker", "team-a", "default")["spec"]["delivery"]["retry"] == 12


def test_what_the_embedded_platform_has_no_kind_for_is_left_out_and_said(run):
    lines = done(run("tenant", "add", "team-a", "--edit-group", "devs")).splitlines()
    skipped = {line.partition("/")[0] for line in lines if "not on the embedded platform" in line}
    assert skipped == {
        "networkpolicy.networking.k8s.io", "resourcequota", "limitrange", "serviceaccount",
        "rolebinding.rbac.authorization.k8s.io",
    }  # fmt: skip


def test_where_nothing_is_installed_nobody_becomes_a_tenant(api, run, find):
    api.call(api.objects.delete, "ConfigMap", "knative-lambda", "knative-lambda-settings")
    result = run("tenant", "add", "team-a")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "Knative Lambda is not installed" in result.stderr
    assert find("Namespace", "", "team-a") is None


def test_again_it_changes_nothing(run, find):
    done(run("tenant", "add", "team-a"))
    before = find("Broker", "team-a", "default")
    again = done(run("tenant", "add", "team-a"))
    assert "created" not in again
    assert "configured" not in again
    assert find("Broker", "team-a", "default") == before


def test_a_rehearsal_on_the_server_changes_nothing(run, find):
    said = done(run("tenant", "add", "team-a", "--dry-run=server"))
    assert "namespace/team-a created (server dry run)" in said
    assert find("Namespace", "", "team-a") is None


def test_a_namespace_with_other_inhabitants_is_made_a_tenant_only_on_purpose(api, run, find):
    api.call(api.objects.create, "Namespace", SHOP)
    refused = run("tenant", "add", "shop")
    assert refused.exit_code == ExitCode.FAILED
    assert "exists and is not a tenant; nothing was changed" in refused.stderr
    assert "--adopt" in refused.stderr
    assert find("Broker", "shop", "default") is None
    done(run("tenant", "add", "shop", "--adopt"))
    assert find("Broker", "shop", "default") is not None


def test_list_shows_tenants_and_their_functions(run, put_function):
    done(run("tenant", "add", "team-a"))
    put_function("one")
    put_function("two")
    header, *rows = done(run("tenant", "list")).splitlines()
    assert header.split()[:2] == ["NAME", "FUNCTIONS"]
    assert [row.split()[:2] for row in rows] == [["default", "0"], ["team-a", "2"]]
    assert done(run("tenant", "list", "-o", "name")) == "namespace/default\nnamespace/team-a\n"


def test_list_in_json_has_a_document_for_each(run, put_function):
    done(run("tenant", "add", "team-a"))
    put_function("one")
    _, document = json.loads(done(run("tenant", "list", "-o", "json")))
    assert document["name"] == "team-a"
    assert document["lambdas"] == {"Pending": 1}
    assert document["mayEdit"] == []


def test_describe_of_a_whole_tenant_finds_nothing(run):
    done(run("tenant", "add", "team-a"))
    assert "All manifests are there." in done(run("tenant", "describe", "team-a"))


def test_describe_names_what_is_missing_or_differs_and_the_way_out(api, run, find):
    done(run("tenant", "add", "team-a"))
    broker = find("Broker", "team-a", "default")
    broker["spec"]["delivery"]["retry"] = 1
    api.call(api.objects.update, "Broker", broker)
    result = run("tenant", "describe", "team-a")
    assert result.exit_code == ExitCode.FAILED
    assert "spec.delivery.retry" in result.stdout
    assert "kn-lambda tenant add team-a --force-conflicts" in result.stderr
    drift = json.loads(run("tenant", "describe", "team-a", "-o", "json").stdout)["drift"]
    assert [each["object"] for each in drift] == ["broker.eventing.knative.dev/default"]
    api.call(api.objects.delete, "Broker", "team-a", "default")
    assert "missing" in run("tenant", "describe", "team-a").stdout
    done(run("tenant", "add", "team-a", "--force-conflicts"))
    done(run("tenant", "describe", "team-a"))


@pytest.mark.parametrize("command", ["describe", "remove"])
def test_what_is_no_tenant_is_not_found(api, run, command):
    api.call(api.objects.create, "Namespace", SHOP)
    for name, state in (("shop", "is not a tenant"), ("nothing", "does not exist")):
        result = run("tenant", command, name)
        assert result.exit_code == ExitCode.NOT_FOUND
        assert f"namespace {name} {state}" in result.stderr


def test_remove_takes_what_made_it_a_tenant_and_leaves_the_namespace(api, run, find):
    done(run("tenant", "add", "team-a"))
    secret = {"metadata": {"namespace": "team-a", "name": "theirs"}}
    api.call(api.objects.create, "Secret", secret)
    done(run("tenant", "remove", "team-a", "--yes"))
    assert find("Broker", "team-a", "default") is None
    labels = find("Namespace", "", "team-a")["metadata"].get("labels", {})
    assert not any(name.startswith(("knative-lambda", "pod-security")) for name in labels)
    assert find("Secret", "team-a", "theirs") is not None
    assert "team-a" not in done(run("tenant", "list"))


def test_a_broker_of_others_stays(api, run, find):
    done(run("tenant", "add", "team-a"))
    broker = find("Broker", "team-a", "default")
    broker["metadata"]["labels"] = {"app.kubernetes.io/part-of": "shop"}
    api.call(api.objects.update, "Broker", broker)
    assert "kept: it is not of Knative Lambda" in done(run("tenant", "remove", "team-a", "--yes"))
    assert find("Broker", "team-a", "default") is not None


def test_a_tenant_with_functions_is_not_removed_without_a_word(run, put_function, find):
    done(run("tenant", "add", "team-a"))
    for number in range(7):
        put_function(f"fn-{number}")
    result = run("tenant", "remove", "team-a", "--yes")
    assert result.exit_code == ExitCode.FAILED
    assert "has 7 functions (fn-0, fn-1, fn-2, fn-3, fn-4, ...)" in result.stderr
    assert "--delete-lambdas" in result.stderr
    assert find("Broker", "team-a", "default") is not None


def test_without_a_terminal_and_without_yes_nothing_is_removed(run, find):
    done(run("tenant", "add", "team-a"))
    result = run("tenant", "remove", "team-a", stdin=b"y\n")
    assert result.exit_code == ExitCode.USAGE
    assert "nothing was removed" in result.stderr
    assert "--yes" in result.stderr
    assert find("Broker", "team-a", "default") is not None


def test_the_namespace_itself_goes_only_on_purpose(run, find):
    done(run("tenant", "add", "team-a"))
    assert "namespace/team-a deleted" in done(
        run("tenant", "remove", "team-a", "--delete-namespace", "--yes")
    )
    assert find("Namespace", "", "team-a") is None


def test_default_stays_a_tenant_here(run, find):
    result = run("tenant", "remove", "default", "--yes")
    assert result.exit_code == ExitCode.USAGE
    assert "stays a tenant of the embedded platform" in result.stderr
    assert find("Namespace", "", "default")["metadata"]["labels"][LABEL] == "true"


def test_remove_in_json_is_one_document(run):
    done(run("tenant", "add", "team-a"))
    document = json.loads(done(run("tenant", "remove", "team-a", "--yes", "-o", "json")))
    assert document["name"] == "team-a"
    assert {"object": "broker.eventing.knative.dev/default", "outcome": "deleted"} in (
        document["objects"]
    )
