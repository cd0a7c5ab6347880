"""Least privilege, measured: what the functions do against what they may do."""

from __future__ import annotations

import pytest

from knative_lambda.domain.errors import PlatformUnavailableError
from knative_lambda.domain.names import FunctionId
from tests.integration.cluster_config.helpers.lambda_lifecycles import BUILDS, LambdaLifecycles
from tests.integration.cluster_config.helpers.quotas import set_quota

pytestmark = pytest.mark.xdist_group("api-server")

FUNCTIONS = ["build-start", "publish", "build-complete", "delete", "cleanup"]
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
LF, KN, EV = "knative-lambda.dev", "serving.knative.dev", "eventing.knative.dev"
# Resources that any of them could be after.
RESOURCES = [
    ("", "pods"),
    ("", "pods/log"),
    ("", "pods/exec"),
    ("", "secrets"),
    ("", "configmaps"),
    ("", "events"),
    ("", "serviceaccounts"),
    ("", "serviceaccounts/token"),
    ("", "namespaces"),
    ("batch", "jobs"),
    ("batch", "jobs/status"),
    ("apps", "deployments"),
    (LF, "lambdafunctions"),
    (LF, "lambdafunctions/status"),
    (KN, "services"),
    (KN, "revisions"),
    (EV, "triggers"),
    (EV, "brokers"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("networking.k8s.io", "networkpolicies"),
]
# (function, place) -> all that it may do there; nothing anywhere else.
ALLOWED = {
    ("build-start", BUILDS): {
        *(f"{verb} jobs" for verb in ("get", "list", "create", "patch", "delete")),
        *(f"{verb} secrets" for verb in ("get", "create", "delete")),
        "list pods",
    },
    ("build-start", "default"): {
        *(f"{verb} lambdafunctions" for verb in ("get", "create", "update", "delete")),
        "update lambdafunctions/status",
        "create events",
    },
    ("publish", "default"): {"get lambdafunctions"},
    ("build-complete", BUILDS): {"get jobs", "delete jobs", "list pods", "get pods/log"},
    ("build-complete", "default"): {
        "get lambdafunctions",
        "update lambdafunctions/status",
        *(f"{verb} services" for verb in ("get", "create", "patch")),
        *(f"{verb} triggers" for verb in ("list", "create", "patch", "delete")),
        "list pods",
    },
    ("delete", BUILDS): {"list jobs", "delete jobs", "list pods"},
    ("delete", "default"): {
        "delete lambdafunctions",
        "update lambdafunctions/status",
        "delete services",
        "list triggers",
        "delete triggers",
    },
    ("cleanup", BUILDS): {"list jobs", "patch jobs", "delete jobs", "list pods"},
    ("delete", ""): {"get lambdafunctions"},
    ("cleanup", "default"): {"update lambdafunctions/status", "patch lambdafunctions"},
    ("cleanup", ""): {
        "get lambdafunctions",
        "list lambdafunctions",
        "list services",
        "list revisions",
    },
}
# Server-side apply asks for both, and shows as a patch.
BY_PATCH = {"create services", "create triggers"}


def user(function):
    return f"system:serviceaccount:knative-lambda:{function}"


def place(entry):
    return entry["objectRef"].get("namespace", "")


def what(entry):
    reference = entry["objectRef"]
    resource = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
    return f"{entry['verb']} {resource}"


@pytest.fixture(scope="module")
def lifecycles(installed):
    """All that functions ever do, done."""
    set_quota(installed)
    made = LambdaLifecycles(installed)
    made.run()
    yield made
    made.close()


@pytest.fixture(scope="module")
def audited(lifecycles):
    """What each function asked of the API."""
    entries = [entry for entry in lifecycles.server.audited() if "objectRef" in entry]
    return {
        name: [entry for entry in entries if entry["user"]["username"] == user(name)]
        for name in FUNCTIONS
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_denied_nothing_that_it_needs(audited, function):
    assert audited[function]
    denied = [what(entry) for entry in audited[function] if entry["responseStatus"]["code"] == 403]
    assert denied == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_uses_every_right_that_it_has(audited, function):
    used = {(place(entry), what(entry)) for entry in audited[function]}
    # It asks of one namespace what it may ask of all.
    used |= {("", right) for _, right in used}
    granted = {
        (where, right)
        for (name, where), rights in ALLOWED.items()
        if name == function
        for right in rights - BY_PATCH
    }
    assert granted <= used


@pytest.mark.parametrize("where", [BUILDS, "default", "knative-lambda", "kube-system", ""])
@pytest.mark.parametrize("function", [*FUNCTIONS, "dead-letter", "api"])
def test_a_function_may_do_that_and_nothing_else(installed, function, where):
    wanted = ALLOWED.get((function, where), set()) | ALLOWED.get((function, ""), set())
    groups = ["system:serviceaccounts", "system:serviceaccounts:knative-lambda"]
    found = set()
    for group, resource in RESOURCES:
        name, _, subresource = resource.partition("/")
        for verb in VERBS:
            attributes = {"group": group, "resource": name, "subresource": subresource}
            attributes |= {"verb": verb, "namespace": where}
            if installed.may(user(function), groups, attributes):
                found.add(f"{verb} {resource}")
    assert found == wanted


# account of a source of events -> the only place where it may read ("": everywhere), and what
SOURCES = {
    f"system:serviceaccount:{BUILDS}:build-jobs-source": (BUILDS, {"jobs"}),
    user("lambda-functions-source"): ("", {"lambdafunctions"}),
    user("failed-lambdas-source"): ("default", {"services", "triggers"}),
}


@pytest.mark.parametrize("where", [BUILDS, "default", "knative-lambda", "kube-system", ""])
@pytest.mark.parametrize("account", SOURCES)
def test_a_source_of_events_reads_what_it_tells_of_and_nothing_else(installed, account, where):
    place, resources = SOURCES[account]
    allowed = {
        (resource, verb)
        for group, resource in RESOURCES
        for verb in VERBS
        if installed.may(
            account,
            [],
            {"group": group, "resource": resource, "verb": verb, "namespace": where},
        )
    }
    reads = {(resource, verb) for resource in resources for verb in ("get", "list", "watch")}
    assert allowed == (reads if place in {where, ""} else set())


# `audited` first: what is denied here belongs to no life.
@pytest.mark.usefixtures("audited")
def test_a_namespace_that_is_no_tenant_is_out_of_reach(lifecycles):
    with pytest.raises(PlatformUnavailableError, match="403"):
        lifecycles.start_build.records.get(FunctionId("kube-system", "hello"))
