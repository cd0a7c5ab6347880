"""A Kubernetes API that refuses, stalls, or is something else: nothing of its client gets out."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from kn_lambda.cluster.api import ClusterApi
from knative_lambda.adapters.kubernetes.client import JOBS, KubernetesApi
from knative_lambda.adapters.kubernetes.errors import AlreadyExistsError, NotFoundError
from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
from knative_lambda.domain.errors import (
    ConflictError,
    KnativeLambdaError,
    PlatformUnavailableError,
    RejectedByPlatformError,
    RetryableError,
    ThrottledError,
)
from knative_lambda.domain.names import FunctionId
from tests.helpers.kubeconfigs import write_kubeconfig
from tests.helpers.s3_servers import CannedAnswer, answering_server, silent_server
from tests.helpers.server_processes import free_port

TOKEN = "hunter2-token"
ITEM = {"metadata": {"namespace": "builds", "name": "a-job"}}
LONG = "long " * 1000


def connect(folder, port, read_seconds=10.0, api=KubernetesApi):
    write_kubeconfig(folder / "kubeconfig", f"http://127.0.0.1:{port}", token=TOKEN)
    return api(kubeconfig=str(folder / "kubeconfig"), read_seconds=read_seconds)


def status(code, reason="", message="said by the API", **headers):
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return CannedAnswer(status=code, body=json.dumps(body).encode(), headers=headers)


def calls(api):
    return {
        "get": lambda: api.get(JOBS, "builds", "a-job"),
        "list": lambda: list(api.list(JOBS, "builds")),
        "create": lambda: api.create(JOBS, ITEM),
        "replace": lambda: api.replace(JOBS, ITEM),
        "apply": lambda: api.apply(JOBS, ITEM),
        "delete": lambda: api.delete(JOBS, "builds", "a-job"),
        "text": lambda: api.text("/api/v1/namespaces/builds/pods/p/log", {"container": "c"}),
    }


CALLS = sorted(calls(None))
ANSWERS = {
    "400": (status(400, "BadRequest"), RejectedByPlatformError),
    "401": (status(401, "Unauthorized"), PlatformUnavailableError),
    "403": (status(403, "Forbidden"), PlatformUnavailableError),
    "409 Conflict": (status(409, "Conflict"), ConflictError),
    "409 AlreadyExists": (status(409, "AlreadyExists"), AlreadyExistsError),
    "413": (status(413, "RequestEntityTooLarge"), RejectedByPlatformError),
    "422": (status(422, "Invalid", LONG), RejectedByPlatformError),
    "429": (status(429, "TooManyRequests"), ThrottledError),
    "500": (status(500, "InternalError"), PlatformUnavailableError),
    "500 of etcd": (
        status(500, "", "etcdserver: request is too large"),
        RejectedByPlatformError,
    ),
    "503": (status(503), PlatformUnavailableError),
    "503 not JSON": (CannedAnswer(status=503, body=b"<html>"), PlatformUnavailableError),
    "400 odd JSON": (CannedAnswer(status=400, body=b"[5]"), RejectedByPlatformError),
    "400 deep JSON": (CannedAnswer(status=400, body=b"[" * 100_000), RejectedByPlatformError),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_is_an_error_of_ours_that_names_the_object(tmp_path, name, call):
    answer, error = ANSWERS[name]
    with answering_server(answer) as (port, _), pytest.raises(KnativeLambdaError) as raised:
        calls(connect(tmp_path, port))[call]()
    assert isinstance(raised.value, error)
    assert "builds/" in raised.value.message
    assert len(raised.value.message) < 400
    assert TOKEN not in str(raised.value)


def forbidden(why, kind="services.serving.knative.dev"):
    body = {
        "kind": "Status",
        "code": 403,
        "reason": "Forbidden",
        "message": f'{kind} "{"a" * 45}" is forbidden: {why}',
        "details": {"kind": kind.partition(".")[0], "name": "a" * 45},
    }
    return CannedAnswer(status=403, body=json.dumps(body).encode())


EXCEEDED = (
    "exceeded quota: lambdas, requested: count/services.serving.knative.dev=1,"
    " used: count/services.serving.knative.dev=1000,"
    " limited: count/services.serving.knative.dev=1000"
)


def refused(tmp_path, answer, call="create"):
    with answering_server(answer) as (port, _), pytest.raises(KnativeLambdaError) as raised:
        calls(connect(tmp_path, port))[call]()
    return raised.value


def test_a_quota_that_is_used_up_is_the_tenants_limit_and_is_named(tmp_path):
    error = refused(tmp_path, forbidden(EXCEEDED))
    assert isinstance(error, RejectedByPlatformError)
    assert error.message.startswith("builds/jobs: the ResourceQuota lambdas is used up")
    assert "limited: count/services.serving.knative.dev=1000" in error.message


@pytest.mark.parametrize(
    "why",
    [
        "status unknown for quota: lambdas, resources: count/services.serving.knative.dev",
        'User "u" cannot create resource "services" in API group "serving.knative.dev"',
    ],
)
def test_a_quota_that_nobody_has_counted_yet_and_a_right_that_is_missing_may_pass(tmp_path, why):
    assert isinstance(refused(tmp_path, forbidden(why)), PlatformUnavailableError)


def test_room_for_jobs_comes_back_by_itself(tmp_path):
    why = "exceeded quota: builds, requested: count/jobs.batch=1"
    error = refused(tmp_path, forbidden(f"{why}, used: a=1, limited: a=1", "jobs.batch"))
    assert isinstance(error, PlatformUnavailableError)
    assert "exceeded quota: builds" in error.message


@pytest.mark.parametrize("call", sorted(set(CALLS) - {"delete"}))
def test_what_is_not_there_may_come(tmp_path, call):
    with answering_server(status(404, "NotFound")) as (port, _), pytest.raises(NotFoundError):
        calls(connect(tmp_path, port))[call]()
    assert issubclass(NotFoundError, RetryableError)


def test_what_is_not_there_is_deleted_and_found_to_be_none(tmp_path):
    with answering_server(status(404, "NotFound")) as (port, _):
        api = connect(tmp_path, port)
        api.delete(JOBS, "builds", "a-job")
        assert api.find(JOBS, "builds", "a-job") is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("soon", 1), ("\xb2", 1), ("9" * 30, 1), (None, 1)]
)
def test_how_long_to_wait_is_passed_on(tmp_path, header, seconds):
    headers = {} if header is None else {"Retry-After": header}
    with (
        answering_server(status(429, **headers)) as (port, seen),
        pytest.raises(ThrottledError) as raised,
    ):
        calls(connect(tmp_path, port))["get"]()
    assert raised.value.retry_after.total_seconds() == seconds
    assert len(seen) == 1  # the Broker tries again, and nobody else


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"5", b"[]", b"null", b"\xff\xfe", b"[" * 100_000]
)
@pytest.mark.parametrize("call", sorted(set(CALLS) - {"text"}))
def test_an_answer_that_is_no_object_is_a_platform_in_trouble(tmp_path, body, call):
    answer = CannedAnswer(status=200, body=body)
    with answering_server(answer) as (port, _), pytest.raises(PlatformUnavailableError):
        calls(connect(tmp_path, port))[call]()


@pytest.mark.parametrize("call", CALLS)
def test_an_api_that_is_not_there_is_unavailable(tmp_path, call):
    with pytest.raises(PlatformUnavailableError) as raised:
        calls(connect(tmp_path, free_port()))[call]()
    assert TOKEN not in str(raised.value)


@pytest.mark.timeout(20)
def test_an_api_that_never_answers_is_given_up(tmp_path):
    with silent_server() as port, pytest.raises(PlatformUnavailableError):
        calls(connect(tmp_path, port, read_seconds=0.2))["get"]()


@pytest.mark.timeout(20)
def test_an_api_that_closes_in_the_middle_is_unavailable(tmp_path):
    answer = CannedAnswer(status=200, body=b"{", claimed_length=100)
    with answering_server(answer) as (port, _), pytest.raises(PlatformUnavailableError):
        calls(connect(tmp_path, port))["get"]()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
@pytest.mark.parametrize("call", CALLS)
def test_nobody_is_followed_to_another_place(tmp_path, call, code):
    elsewhere = CannedAnswer(status=200, body=b"{}")
    with answering_server(elsewhere) as (other, seen_elsewhere):
        answer = status(code, Location=f"http://127.0.0.1:{other}/")
        with answering_server(answer) as (port, seen), pytest.raises(PlatformUnavailableError):
            calls(connect(tmp_path, port))[call]()
    assert (len(seen), seen_elsewhere) == (1, [])


def test_a_proxy_that_the_environment_names_is_used(tmp_path, monkeypatch):
    with answering_server(CannedAnswer(status=200, body=b"{}")) as (port, seen):
        for name in ("no_proxy", "NO_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        (tmp_path / "kubeconfig").write_text(
            "{current-context: c, contexts: [{name: c, context: {cluster: c}}],"
            " clusters: [{name: c, cluster: {server: 'http://api.invalid'}}]}"
        )
        with closing(KubernetesApi(kubeconfig=str(tmp_path / "kubeconfig"))) as api:
            api.get(JOBS, "builds", "a-job")
    assert seen == ["GET http://api.invalid/apis/batch/v1/namespaces/builds/jobs/a-job"]


LOG = "/api/v1/namespaces/builds/pods/p/log"


@pytest.mark.parametrize("name", ANSWERS)
def test_a_log_that_is_refused_is_an_error_of_ours(tmp_path, name):
    answer, error = ANSWERS[name]
    with answering_server(answer) as (port, _), pytest.raises(error, match="builds/pods/p"):
        list(connect(tmp_path, port, api=ClusterApi).follow(LOG, {"container": "c"}))


def test_a_log_is_read_as_it_comes(tmp_path):
    with answering_server(CannedAnswer(status=200, body=b"a line\n")) as (port, seen):
        pieces = connect(tmp_path, port, api=ClusterApi).follow(LOG, {"container": "c"})
        assert b"".join(pieces) == b"a line\n"
    assert seen == [f"GET {LOG}?container=c"]


@pytest.mark.parametrize("kubeconfig", ["", "{", "[]", "apiVersion: v1", "\x00"])
def test_a_kubeconfig_that_leads_nowhere_is_a_platform_in_trouble(tmp_path, kubeconfig):
    (tmp_path / "kubeconfig").write_text(kubeconfig)
    api = KubernetesApi(kubeconfig=str(tmp_path / "kubeconfig"))
    with pytest.raises(PlatformUnavailableError):
        api.get(JOBS, "builds", "a-job")
    with pytest.raises(PlatformUnavailableError):
        KubernetesApi(kubeconfig=str(tmp_path / "nowhere")).get(JOBS, "builds", "a-job")


@pytest.mark.parametrize(
    "name", ["../../secrets", "a?b=c", "a/b", "a b", "\r\nx: y", "\N{SNOWMAN}"]
)
def test_a_name_never_leads_to_another_path(tmp_path, name):
    with answering_server(status(404, "NotFound")) as (port, seen):
        connect(tmp_path, port).find(JOBS, "builds", name)
    (request,) = seen
    path = request.removeprefix("GET /apis/batch/v1/namespaces/builds/jobs/")
    assert not {"/", "?", " "} & set(path)


def test_a_deletion_that_conflicts_for_another_reason_is_told(tmp_path):
    with answering_server(status(409, "Conflict")) as (port, _), pytest.raises(ConflictError):
        connect(tmp_path, port).delete(JOBS, "builds", "a-job")


def test_a_kind_that_is_not_installed_is_a_platform_in_trouble(tmp_path):
    answer = CannedAnswer(status=404, body=b"404 page not found\n")
    with answering_server(answer) as (port, _):
        records = KubernetesLambdaFunctions(api=connect(tmp_path, port))
        with pytest.raises(PlatformUnavailableError):
            list(records.list())
        assert records.get(FunctionId("default", "hello")) is None
