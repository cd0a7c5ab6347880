"""Requests that are wrong, hostile, slow or too many."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest

from knative_lambda.domain.errors import KnativeLambdaError, PlatformUnavailableError
from knative_lambda.inbound.api import application as module
from knative_lambda.inbound.api.application import Application
from knative_lambda.inbound.api.operations import OPERATIONS
from knative_lambda.inbound.api.problems import problem, status_of
from tests.helpers.asgi import send
from tests.unit.inbound.helpers.errors import instance, subclasses

LAMBDAS = "/v1/namespaces/team-a/lambdas"
UPLOADS = "/v1/namespaces/team-a/uploads"
SHA = "a" * 64


def path_of(operation):
    values = {"namespace": "team-a", "name": "hello", "build": SHA, "sha256": SHA}
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], operation.path)


def is_problem(response, status, reason=None):
    assert response.status == status, response.body
    assert response.headers["content-type"] == "application/problem+json"
    assert response.data["status"] == status
    assert {"type", "title", "detail"} <= response.data.keys()
    if reason is not None:
        assert response.data["type"] == f"https://knative-lambda.dev/problems/{reason}"
    return response.data


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "token",
        "Bearer a b",
        "Bearer a\tb",
        "Bearer \xe9",
        "Bearer a,Bearer b",
        "Bearer " + "a" * 20_000,
    ],
)
async def test_without_a_token_nothing_is_asked_of_anybody(api, operation, header):
    headers = {} if header is None else {"Authorization": header}
    response = await send(api.app, operation.method, path_of(operation), headers)
    is_problem(response, 401, "Unauthorized")
    assert response.headers["www-authenticate"] == 'Bearer realm="knative-lambda"'
    assert api.made == 0


async def test_two_tokens_are_none(api):
    headers = [("Authorization", "Bearer team-a-view"), ("Authorization", "Bearer team-b")]
    assert (await send(api.app, "GET", LAMBDAS, headers)).status == 401


async def test_a_token_that_kubernetes_does_not_know_is_told_so(api):
    response = await api.get(LAMBDAS, "forged")
    is_problem(response, 401, "Unauthenticated")
    assert response.headers["www-authenticate"].endswith('error="invalid_token"')


async def test_what_kubernetes_denies_is_denied(api):
    for token in ("team-b", "nobody"):
        is_problem(await api.get(LAMBDAS, token), 403, "Forbidden")


@pytest.mark.parametrize("namespace", ["..", "a..b", "A", "-a", "a_b", "a" * 64, "a%00", "%0a"])
async def test_a_namespace_that_cannot_be_one_goes_nowhere(api, namespace):
    data = is_problem(await api.get(f"/v1/namespaces/{namespace}/lambdas"), 400, "InvalidRequest")
    assert data["field"] == "namespace"
    assert not api.storage.objects


@pytest.mark.parametrize(
    "path",
    [
        f"{LAMBDAS}/%2e%2e",
        f"{LAMBDAS}/..",
        f"{LAMBDAS}/a%0d%0aX-Injected:%201",
        f"{LAMBDAS}/{'a' * 46}",
        f"{LAMBDAS}/hello/builds/%2e%2e/log",
        f"{LAMBDAS}/hello/builds/{'A' * 64}/log",
        f"{LAMBDAS}/hello/builds/{SHA}%0a/log",
    ],
)
async def test_a_name_that_is_a_way_out_is_no_name(api, path):
    response = await api.get(path)
    is_problem(response, 400, "InvalidRequest")
    assert "x-injected" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/namespaces/team-a",
        f"{LAMBDAS}/",
        f"{LAMBDAS}/..%2f..%2fx/y",
        "//v1/namespaces/team-a/lambdas",
        f"{LAMBDAS}/hello/builds/{SHA}",
    ],
)
async def test_there_is_nothing_else(api, path):
    is_problem(await api.get(path), 404, "NotFound")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%31%20", "limit"),
        ("limit=1_0", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("after=x", "after"),
        ("phase=ready", "phase"),
        ("runtime=..", "runtime"),
        ("labelSelector=" + "a" * 1025, "labelSelector"),
        ("labelSelector=a%0a", "labelSelector"),
        ("continue=%00", "continue"),
        ("watch=true", "watch"),
    ],
)
async def test_a_wrong_parameter_is_named(api, query, field):
    data = is_problem(await api.get(f"{LAMBDAS}?{query}"), 400, "InvalidRequest")
    assert data["field"] == field
    assert len(data["detail"]) < 300


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
async def test_other_methods_are_told_which_there_are(api, operation):
    path = path_of(operation)
    response = await api.ask("DELETE", path)
    is_problem(response, 405, "MethodNotAllowed")
    allowed = response.headers["allow"]
    assert operation.method in allowed
    options = await send(api.app, "OPTIONS", path)
    assert (options.status, options.headers["allow"], options.body) == (204, allowed, b"")


async def test_head_is_get_without_what_it_says(api):
    api.callers.add("team-a", "hello")
    assert (await api.head(f"{LAMBDAS}/hello")).headers["etag"] == '"1"'
    assert (await api.head(UPLOADS)).status == 405


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"null", None),
        (b"\xff", None),
        (b"[" * 10_000, None),
        (b'{"name": "hello", "sha256": "x", "size": 1}', "sha256"),
        (b'{"name": "../x", "sha256": "' + SHA.encode() + b'", "size": 1}', "name"),
        (b'{"name": "hello", "sha256": "' + SHA.encode() + b'", "size": 0}', "size"),
        (b'{"name": "hello", "sha256": "' + SHA.encode() + b'", "size": "1"}', "size"),
        (b'{"name": "hello", "sha256": "' + SHA.encode() + b'", "size": 1e400}', None),
        (b'{"name": "hello", "sha256": "' + SHA.encode() + b'"}', "size"),
    ],
)
async def test_a_wrong_body_is_the_callers_mistake(api, body, field):
    data = is_problem(await api.post(UPLOADS, "team-a-edit", body=body), 400, "InvalidRequest")
    assert data.get("field") == field


async def test_a_body_over_the_limit_is_not_read(api):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    response = await api.post(UPLOADS, "team-a-edit", body=endless())
    is_problem(response, 413, "RequestTooLarge")
    assert read <= 20
    declared = {"Content-Length": "999999999999"}
    response = await api.post(UPLOADS, "team-a-edit", headers=declared, body=endless())
    is_problem(response, 413, "RequestTooLarge")


async def test_a_body_that_does_not_arrive_is_waited_for_so_long_and_takes_no_place(
    api, monkeypatch
):
    monkeypatch.setattr("knative_lambda.inbound.api.application.read_body", quick_read)

    async def slow():
        yield b"{"
        await asyncio.sleep(60)

    waiting = [
        asyncio.create_task(api.post(UPLOADS, "team-a-edit", body=slow())) for _ in range(50)
    ]
    await asyncio.sleep(0)
    assert (await api.get(LAMBDAS)).status == 200
    for response in await asyncio.gather(*waiting):
        is_problem(response, 408, "RequestTimeout")
        assert response.headers["connection"] == "close"


async def quick_read(request):
    return await module_read_body(request, seconds=0.3)


module_read_body = module.read_body


async def test_a_caller_that_hangs_up_is_no_bug(api, caplog):
    is_problem(await api.post(UPLOADS, "team-a-edit", body=b"{", ends=False), 400)
    assert "a bug" not in caplog.text


async def test_a_packed_body_is_not_unpacked(api):
    headers = {"Content-Encoding": "gzip"}
    response = await api.post(UPLOADS, "team-a-edit", headers=headers, body=b"x")
    is_problem(response, 415)


async def test_more_requests_than_there_is_room_for_are_sent_away_at_once(api):
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow_services():
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)
        return api.services()

    app = Application(slow_services, working=1, waiting=2)
    headers = {"Authorization": "Bearer team-a-view"}
    waiting = [asyncio.create_task(send(app, "GET", LAMBDAS, headers)) for _ in range(3)]
    await asyncio.sleep(0.05)
    refused = await send(app, "GET", LAMBDAS, headers)
    is_problem(refused, 429, "Throttled")
    assert refused.headers["retry-after"] == "1"
    go_on.set()
    assert [each.status for each in await asyncio.gather(*waiting)] == [200] * 3
    assert (await send(app, "GET", LAMBDAS, headers)).status == 200


async def test_a_bug_says_nothing_of_itself(api, caplog):
    def broken():
        raise RuntimeError("the secret is s3cr3t")

    app = Application(broken)
    response = await send(app, "GET", LAMBDAS, {"Authorization": "Bearer team-a-view"})
    is_problem(response, 500, "InternalError")
    assert b"s3cr3t" not in response.body


async def test_neither_logs_nor_responses_have_the_token_or_what_was_asked_for(api, caplog):
    caplog.set_level(logging.DEBUG)
    token, query = "t0k3n-of-somebody", "labelSelector=s3cr3t"
    for path in (LAMBDAS, f"{LAMBDAS}/hello", "/nothing", f"{LAMBDAS}/hello/logs"):
        response = await api.get(f"{path}?{query}", token)
        said = str(response.headers) + response.body.decode() + caplog.text
        said += json.dumps([str(vars(record)) for record in caplog.records])
        assert token not in said
        assert "s3cr3t" not in caplog.text


async def test_kubernetes_that_does_not_respond_is_tried_again_later(api):
    api.callers.with_token = None

    def unreachable():
        raise PlatformUnavailableError("the Kubernetes API gave no usable response")

    app = Application(unreachable)
    response = await send(app, "GET", LAMBDAS, {"Authorization": "Bearer team-a-view"})
    is_problem(response, 503, "PlatformUnavailable")


@pytest.mark.parametrize("cls", sorted(set(subclasses(KnativeLambdaError)), key=str))
def test_every_error_of_ours_is_a_problem_with_a_status_of_its_own_kind(cls):
    error = instance(cls)
    body = json.loads(problem(error).body)
    assert body["status"] == status_of(error)
    assert 400 <= body["status"] <= 503
    assert body["detail"] == error.message


async def test_the_description_is_for_everybody_and_says_what_there_is(api):
    response = await send(api.app, "GET", "/openapi.json")
    paths = response.data["paths"]
    described = {(method.upper(), path) for path in paths for method in paths[path]}
    assert described == {(each.method, each.path) for each in OPERATIONS}
    assert api.made == 0
