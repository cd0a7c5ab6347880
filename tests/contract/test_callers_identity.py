"""The function `api` acts with its caller's token alone, whatever it could know of itself."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from knative_lambda.adapters.kubernetes.callers import KubernetesCallers
from knative_lambda.domain.caller import LAMBDA_FUNCTIONS, Right
from knative_lambda.domain.errors import (
    ExpiredError,
    ForbiddenError,
    PlatformUnavailableError,
    ThrottledError,
    UnauthenticatedError,
)
from knative_lambda.domain.lambda_function import API_GROUP
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.recording_api import recording_api
from tests.helpers.certificate_authority import make_authority

HELLO = FunctionId("team-a", "hello")
UPDATE = Right(verb="update", group=API_GROUP, resource=LAMBDA_FUNCTIONS, name="hello")
OWN = "own-credential-of-api"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("authority") / "files")


@pytest.fixture
def server(authority):
    with recording_api(authority) as api:
        yield api


def kubeconfig(file, server, authority, user):
    cluster = {"server": server.url, "certificate-authority": str(authority.certificate)}
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(json.dumps(config))
    return str(file)


@pytest.fixture(params=["pod", "token", "certificate"])
def callers(request, server, authority, tmp_path, monkeypatch):
    """Ways in which a process may have been given an identity of its own."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    if request.param == "pod":
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", urlsplit(server.url).hostname)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(urlsplit(server.url).port))
        return KubernetesCallers(authority=authority.certificate)
    user = {"token": OWN}
    if request.param == "certificate":
        user = {
            "client-certificate": str(authority.client_certificate),
            "client-key": str(authority.client_key),
        }
    return KubernetesCallers(kubeconfig=kubeconfig(tmp_path / "k", server, authority, user))


def use_everything(cluster):
    cluster.lambdas("team-a", limit=5, after="x", selector="a=b")
    cluster.find(HELLO)
    cluster.may("team-a", UPDATE)
    cluster.logs(HELLO, lines=5, timestamps=True, max_bytes=100)


def answer(seen):
    if "selfsubject" in seen.path:
        return 201, {"status": {"allowed": True}}
    if seen.path.endswith("/pods?labelSelector=serving.knative.dev%2Fservice%3Dhello&limit=500"):
        pod = {"metadata": {"name": "p", "creationTimestamp": "2026"}}
        return 200, {"items": [pod]}
    return (200, b"a log\n") if "/log?" in seen.path else (200, {"items": []})


def test_every_request_carries_the_callers_token_and_no_other_credential(callers, server):
    server.answer = answer
    for token in ("first", "second", "first"):
        server.requests.clear()
        use_everything(callers.with_token(token))
        assert len(server.requests) == 5
        for seen in server.requests:
            assert seen.headers["authorization"] == f"Bearer {token}"
            assert OWN not in str(seen)
            assert not [name for name in seen.headers if name.startswith(("impersonate", "x-"))]


def test_callers_at_the_same_time_do_not_share_a_token(callers, server):
    server.answer = answer
    first, second = callers.with_token("first"), callers.with_token("second")
    first.find(HELLO)
    second.find(HELLO)
    first.find(HELLO)
    shown = [seen.headers["authorization"] for seen in server.requests]
    assert shown == ["Bearer first", "Bearer second", "Bearer first"]


def test_what_the_caller_may_is_asked_of_the_caller_itself(callers, server):
    server.answer = answer
    assert callers.with_token("t").may("team-a", UPDATE)
    (seen,) = server.requests
    assert seen.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert json.loads(seen.body)["spec"] == {
        "resourceAttributes": {
            "namespace": "team-a",
            "verb": "update",
            "group": "knative-lambda.dev",
            "resource": "lambdafunctions",
            "subresource": "",
            "name": "hello",
        }
    }


@pytest.mark.parametrize("status", [{}, None, {"allowed": "true"}, {"allowed": 1}])
def test_only_a_clear_yes_is_one(server, authority, tmp_path, status):
    callers = KubernetesCallers(kubeconfig=kubeconfig(tmp_path / "k", server, authority, {}))
    server.answer = lambda _: (201, {"status": status})
    assert not callers.with_token("t").may("team-a", UPDATE)


@pytest.fixture
def cluster(server, authority, tmp_path):
    path = kubeconfig(tmp_path / "k", server, authority, {})
    return KubernetesCallers(kubeconfig=path).with_token("t0k3n")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, UnauthenticatedError),
        (403, ForbiddenError),
        (410, ExpiredError),
        (429, ThrottledError),
        (500, PlatformUnavailableError),
    ],
)
def test_what_kubernetes_says_is_passed_on_without_the_token(cluster, server, status, error):
    server.answer = lambda _: (status, {"message": "no", "reason": "R"})
    with pytest.raises(error) as raised:
        cluster.find(HELLO)
    assert "t0k3n" not in str(raised.value)
    if error is not PlatformUnavailableError:
        assert type(raised.value) is error


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_an_answer_that_is_no_object_is_no_answer(cluster, server, body):
    server.answer = lambda _: (200, body)
    with pytest.raises(PlatformUnavailableError):
        cluster.find(HELLO)


def test_a_page_of_large_records_is_a_shorter_page(cluster, server):
    large = {"metadata": {"name": "l"}, "spec": "x" * 1_000_000}

    def pages(seen):
        limit = int(parse_qs(urlsplit(seen.path).query)["limit"][0])
        return 200, {"items": [large] * limit, "metadata": {"continue": "next"}}

    server.answer = pages
    page = cluster.lambdas("team-a", limit=100, after=None, selector=None)
    assert (len(page.items), page.after) == (1, "next")
    server.answer = lambda _: (200, {"items": [{"spec": "x" * 9_000_000}]})
    with pytest.raises(PlatformUnavailableError):
        cluster.lambdas("team-a", limit=4, after=None, selector=None)
    with pytest.raises(PlatformUnavailableError):
        cluster.find(HELLO)


def pods(*states):
    items = [
        {"metadata": {"name": f"p{n}", "creationTimestamp": f"{n:04}"}, "status": {"phase": phase}}
        for n, phase in enumerate(states)
    ]
    return lambda seen: (
        (200, f"log of {seen.path.split('/')[-2]}\n".encode())
        if "/log?" in seen.path
        else (200, {"items": items})
    )


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["Running"], ["p0"]),
        (["Succeeded", "Running"], ["p1"]),
        (["Running", "Failed"], ["p0", "p1"]),
        (["Succeeded", "Failed"], ["p1"]),
        (["Running"] * 30, [f"p{n}" for n in range(20, 30)]),
        ([], []),
    ],
)
def test_logs_are_of_pods_that_run_and_of_the_newest_that_failed(cluster, server, states, shown):
    server.answer = pods(*states)
    logs = cluster.logs(HELLO, lines=5, timestamps=False, max_bytes=10_000)
    assert [log.pod for log in logs] == shown
    assert all(log.text == f"log of {log.pod}\n" for log in logs)


def test_of_a_long_log_the_end_is_read(cluster, server):
    long = pods("Running", "Running")
    server.answer = lambda seen: (
        (200, b"x" * 5_000_000 + b"the end\n") if "/log?" in seen.path else long(seen)
    )
    for log in cluster.logs(HELLO, lines=5, timestamps=False, max_bytes=2000):
        assert len(log.text) == 1000
        assert log.text.endswith("xthe end\n")


@pytest.mark.parametrize("status", [400, 404])
def test_a_pod_that_is_gone_or_has_not_begun_takes_no_other_log_along(cluster, server, status):
    two = pods("Running", "Running")
    server.answer = lambda seen: (status, {}) if "/p0/log" in seen.path else two(seen)
    (log,) = cluster.logs(HELLO, lines=5, timestamps=False, max_bytes=2000)
    assert log.pod == "p1"


def test_a_log_that_the_caller_may_not_read_is_denied(cluster, server):
    two = pods("Running", "Running")
    server.answer = lambda seen: (403, {}) if "/log?" in seen.path else two(seen)
    with pytest.raises(ForbiddenError):
        cluster.logs(HELLO, lines=5, timestamps=False, max_bytes=2000)


def test_where_nothing_says_where_kubernetes_is_nothing_is_sent(monkeypatch, tmp_path):
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PlatformUnavailableError, match="KUBECONFIG"):
        KubernetesCallers().with_token("t")
    broken = tmp_path / "kubeconfig"
    broken.write_text("[]")
    with pytest.raises(PlatformUnavailableError, match="KUBECONFIG"):
        KubernetesCallers(kubeconfig=str(broken)).with_token("t")
