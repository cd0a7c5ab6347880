"""Functions written for the Functions Framework run unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

DECORATED = """
import flask
import functions_framework
import functions_framework.aio
from cloudevents.http import CloudEvent

@functions_framework.cloud_event
def event(cloud_event: CloudEvent):
    print(f"got {cloud_event['id']}: {cloud_event.data!r}")

@functions_framework.cloud_event
async def event_async(cloud_event):
    return {"data": cloud_event.data}

@functions_framework.http
def web(request: flask.Request):
    if request.path == "/teapot":
        flask.abort(418)
    if request.path == "/fails":
        raise RuntimeError("the secret is 12345")
    return {"method": request.method, "path": request.path, "json": request.get_json(silent=True),
            "args": request.args, "agent": request.headers["x-agent"]}, 201, {"x-own": "1"}

@functions_framework.aio.http
async def web_async(request):
    return {"path": request.url.path, "json": await request.json()}, 202

@functions_framework.aio.http
def web_starlette(request):
    return request.query_params["q"]
"""


@pytest.fixture
def run(start_python: Functions) -> Functions:
    def run_decorated(name: str, **environment: str) -> FunctionProcess:
        process = start_python({"main.py": DECORATED}, f"main.{name}", **environment)
        process.wait_until_ready()
        return process

    return run_decorated


def test_a_cloud_event_function_is_answered_with_204(run: Functions) -> None:
    # The decorator decides, whatever the record says.
    process = run("event", FUNCTION_SIGNATURE="http")
    assert process.send({"a": 1}).status == 204
    process.wait_for_log("got event-1: {'a': 1}")


def test_its_data_is_what_the_sdk_makes_of_it(run: Functions) -> None:
    process = run("event")
    process.send(b"5", "text/plain")
    process.send(b"five", "text/plain", id="event-2")
    process.wait_for_log("got event-1: 5")
    process.wait_for_log("got event-2: b'five'")


def test_a_decorated_coroutine_replies(run: Functions) -> None:
    assert run("event_async").send([1]).json() == {"data": [1]}


def test_an_http_function_gets_flasks_request(run: Functions) -> None:
    headers = {"content-type": "application/json", "x-agent": "a"}
    process = run("web")
    answer = process.request("PUT", "/some/caf%C3%A9?q=1", b'{"x": 1}', headers)
    assert (answer.status, answer.headers["x-own"]) == (201, "1")
    assert answer.json() == {
        "method": "PUT",
        "path": "/some/café",
        "json": {"x": 1},
        "args": {"q": "1"},
        "agent": "a",
    }
    assert process.request("GET", "/teapot").status == 418
    answer = process.request("GET", "/fails")
    assert (answer.status, answer.json()["reason"]) == (500, "HandlerFailed")
    process.wait_for_log("the secret is 12345")
    assert process.request("GET", "/health/liveness").status == 200


def test_aio_functions_get_starlettes_request(run: Functions) -> None:
    answer = run("web_async").request("POST", "/x", b"[1]", {"content-type": "application/json"})
    assert (answer.status, answer.json()) == (202, {"path": "/x", "json": [1]})


def test_blocking_aio_functions_get_starlettes_request_too(run: Functions) -> None:
    assert run("web_starlette").request("GET", "/?q=text").body == b"text"


def test_an_unknown_kind_of_function_is_refused_by_name(start_python: Functions) -> None:
    source = """
import functions_framework
from functions_framework import _function_registry

@functions_framework.http
def handler(request): ...

_function_registry.REGISTRY_MAP["handler"] = "later"
"""
    process = start_python({"main.py": source}, "main.handler")
    assert process.ended() == 1
    expected = 'UnsupportedSignature: "handler" is registered with functions_framework as "later"'
    assert process.log.splitlines()[-1].startswith(expected)
