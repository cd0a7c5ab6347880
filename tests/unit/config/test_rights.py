"""Who may do what, as config/ grants it."""

from __future__ import annotations

import pytest

from tests.helpers.dev_overlay import OBJECTS, REPOSITORY

FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/main.py"))
WITHOUT_RIGHTS = ["api", "dead-letter"]
WITH_RIGHTS = [name for name in FUNCTIONS if name not in WITHOUT_RIGHTS]
READS = {"get", "list", "watch"}
# Those of people; no function has them.
OF_PEOPLE = ["knative-lambda-view", "knative-lambda-edit", "knative-lambda-admin"]
SETTINGS_ROLE = "knative-lambda-settings"


def of_kind(*kinds):
    return [item for item in OBJECTS if item["kind"] in kinds]


def name_of(item):
    return item["metadata"]["name"]


def bound(kind):
    """Subject -> the roles bound to it, with the namespace of the binding."""
    found = {}
    for binding in of_kind(kind):
        for subject in binding["subjects"]:
            key = (subject["namespace"], subject["name"])
            where = binding["metadata"].get("namespace")
            found.setdefault(key, set()).add((where, binding["roleRef"]["name"]))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_account_of_its_own(name):
    accounts = {
        (item["metadata"]["namespace"], name_of(item)) for item in of_kind("ServiceAccount")
    }
    (service,) = [item for item in of_kind("Service") if name_of(item) == name]
    assert service["spec"]["template"]["spec"]["serviceAccountName"] == name
    assert ("knative-lambda", name) in accounts


@pytest.mark.parametrize("name", WITH_RIGHTS)
def test_a_function_has_its_own_role_for_builds_and_one_per_tenant(name):
    tenants = {
        item["metadata"]["name"]
        for item in of_kind("Namespace")
        if "knative-lambda.dev/tenant" in item["metadata"]["labels"]
    }
    wanted = {(tenant, f"knative-lambda-{name}") for tenant in tenants}
    found = bound("RoleBinding")[("knative-lambda", name)]
    # publish has nothing to do with Jobs.
    builds = set() if name == "publish" else {("knative-lambda-builds", name)}
    assert found == wanted | builds


@pytest.mark.parametrize("name", WITHOUT_RIGHTS)
def test_what_needs_no_right_has_none_and_no_token(name):
    subject = ("knative-lambda", name)
    assert subject not in bound("RoleBinding")
    assert subject not in bound("ClusterRoleBinding")
    (account,) = [item for item in of_kind("ServiceAccount") if name_of(item) == name]
    (service,) = [item for item in of_kind("Service") if name_of(item) == name]
    assert account["automountServiceAccountToken"] is False
    pod = service["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert not [volume for volume in pod.get("volumes", ()) if "projected" in volume]


def test_nobody_writes_cluster_wide():
    roles = {name_of(item): item for item in of_kind("ClusterRole")}
    for bindings in bound("ClusterRoleBinding").values():
        for _, role in bindings:
            for rule in roles[role]["rules"]:
                assert set(rule["verbs"]) <= READS


def test_only_who_looks_for_lambdas_everywhere_reads_cluster_wide():
    names = ("cleanup", "delete", "lambda-functions-source")
    accounts = {("knative-lambda", name) for name in names}
    assert bound("ClusterRoleBinding").keys() == accounts


def of_functions():
    roles = of_kind("Role", "ClusterRole")
    return [role for role in roles if name_of(role) not in {*OF_PEOPLE, SETTINGS_ROLE}]


def rights_of(name):
    """(resource, verb) of a role of people."""
    (role,) = [each for each in of_kind("ClusterRole") if name_of(each) == name]
    return {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("role", of_functions(), ids=lambda role: f"{role['kind']} {name_of(role)}")
def test_a_role_names_each_thing_and_nothing_that_opens_others(role):
    for rule in role["rules"]:
        named = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "*" not in named
        assert not {"configmaps", "serviceaccounts", "pods/exec"} & set(rule["resources"])


def test_only_who_starts_builds_has_a_right_to_secrets_and_only_to_those_of_builds():
    found = [
        (role["metadata"].get("namespace"), name_of(role), rule["verbs"])
        for role in of_functions()
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    ]
    assert found == [("knative-lambda-builds", "build-start", ["get", "create", "delete"])]


def test_every_binding_is_to_a_role_and_an_account_that_exist():
    roles = {(item["metadata"].get("namespace"), name_of(item)) for item in of_kind("Role")}
    roles |= {(None, name_of(item)) for item in of_kind("ClusterRole")}
    accounts = {
        (item["metadata"]["namespace"], name_of(item)) for item in of_kind("ServiceAccount")
    }
    for binding in of_kind("RoleBinding", "ClusterRoleBinding"):
        reference = binding["roleRef"]
        where = binding["metadata"]["namespace"] if reference["kind"] == "Role" else None
        assert (where, reference["name"]) in roles
        assert {(each["namespace"], each["name"]) for each in binding["subjects"]} <= accounts


def test_nobody_from_outside_calls_a_function():
    for service in of_kind("Service"):
        labels = service["metadata"]["labels"]
        assert labels["networking.knative.dev/visibility"] == "cluster-local"


def test_every_namespace_takes_restricted_pods_only():
    for namespace in of_kind("Namespace"):
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_function_has_the_secrets_that_it_needs_and_publish_alone_may_push():
    def secrets_of(name):
        (service,) = [item for item in of_kind("Service") if name_of(item) == name]
        pod = service["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        sources = [
            each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each
        ]
        volumes = [
            each["secret"]["secretName"] for each in pod.get("volumes", ()) if "secret" in each
        ]
        assert "valueFrom" not in str(container.get("env"))
        return {secret.removeprefix("knative-lambda-") for secret in (*sources, *volumes)}

    assert {name: secrets_of(name) for name in FUNCTIONS} == {
        "build-start": {"storage", "registry-read", "package-index"},
        "publish": {"storage", "registry-push"},
        "build-complete": {"storage", "registry-read"},
        "delete": {"storage", "registry-delete"},
        "cleanup": {"storage", "registry-delete"},
        "dead-letter": {"storage"},
        "api": {"storage"},
    }


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_role_of_people_adds_itself_to_kubernetes_own_and_to_no_other(name):
    (role,) = [each for each in of_kind("ClusterRole") if name_of(each) == name]
    own = name.removeprefix("knative-lambda-")
    aggregated = [label for label in role["metadata"]["labels"] if "aggregate-to" in label]
    assert aggregated == [f"rbac.authorization.k8s.io/aggregate-to-{own}"]
    assert role["metadata"]["labels"][aggregated[0]] == "true"


def test_who_views_reads_lambdas_and_their_logs_and_changes_nothing():
    rights = rights_of("knative-lambda-view")
    assert {verb for _, verb in rights} == READS
    read = {"lambdafunctions", "lambdafunctions/status", "pods", "pods/log"}
    assert {resource for resource, _ in rights} == read | {"events", "resourcequotas"}


@pytest.mark.parametrize("name", ["knative-lambda-edit", "knative-lambda-admin"])
def test_who_edits_writes_records_and_what_their_variables_are_read_from(name):
    writes = {right for right in rights_of(name) if right[1] not in READS}
    assert writes == {
        *(("lambdafunctions", verb) for verb in ("create", "update", "patch", "delete")),
        *(("configmaps", verb) for verb in ("create", "update", "patch", "delete")),
        *(("secrets", verb) for verb in ("create", "delete")),
    }
    assert rights_of("knative-lambda-view") <= rights_of(name)


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_nobody_writes_a_status_or_reads_a_secret(name):
    rights = rights_of(name)
    assert {verb for resource, verb in rights if resource == "lambdafunctions/status"} == {"get"}
    assert not {verb for resource, verb in rights if resource == "secrets"} & {
        *READS, "update", "patch",  # these two return the whole object
    }  # fmt: skip


def test_the_role_of_settings_opens_the_one_config_map():
    (role,) = [each for each in of_kind("Role") if name_of(each) == SETTINGS_ROLE]
    (rule,) = role["rules"]
    assert (rule["resources"], rule["verbs"]) == (["configmaps"], ["get"])
    assert rule["resourceNames"] == ["knative-lambda-settings"]
