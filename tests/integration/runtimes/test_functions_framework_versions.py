"""What docs/API_CONTRACT.md guarantees of functions-framework, with each of its versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

# None: the runtime's own, which is the newest.
VERSIONS = ["3.0.0", "3.5.0", "3.8.3", None]
# functions_framework.typed came with 3.4.
VERSIONS_WITH_TYPED = VERSIONS[1:]

SOURCE = """
import flask
import functions_framework
from flask import current_app

current_app.config["OWN"] = "mine"
current_app.after_request(lambda answer: answer.headers.set("x-after", "1") or answer)

@functions_framework.errorhandler(ZeroDivisionError)
def teapot(error):
    return "I'm a teapot", 418

@functions_framework.errorhandler(404)
def nothing_here(error):
    return {"path": flask.request.path}, 404

class Busy(Exception):
    pass

@functions_framework.errorhandler(Busy)
def busy(error):
    return flask.Response("busy", 503, {"retry-after": "5"})

@functions_framework.http
def web(request):
    if request.path == "/divide":
        return 1 / 0
    if request.path == "/missing":
        flask.abort(404)
    if request.path == "/fails":
        raise RuntimeError("the secret is 12345")
    if request.path == "/template":
        return flask.render_template("page.html", name="Ada")
    if request.path == "/nothing":
        return None
    if request.path == "/stream":
        return flask.Response((str(number) for number in range(3)), mimetype="text/plain")
    seen = {"method": request.method, "path": request.path, "args": request.args,
            "json": request.get_json(silent=True), "own": current_app.config["OWN"]}
    return seen, 201, {"x-own": "1"}

class Callable:
    def __call__(self, request):
        return f"called with {request.method}"

called = Callable()

@functions_framework.cloud_event
def event(cloud_event):
    if cloud_event.data == "divide":
        return 1 / 0
    if cloud_event.data == "busy":
        raise Busy
    if cloud_event.data == "abort":
        flask.abort(400, "not this one")
    if cloud_event.data == "fails":
        raise RuntimeError("the secret is 12345")
    own = current_app.config["OWN"]
    print(f"got {cloud_event['id']}: {cloud_event.data} {cloud_event['type']} {own}")

class EventCallable:
    def __call__(self, event):
        return {"called": event["id"]}

called_with_event = EventCallable()
"""
TYPED = """
import functions_framework

class Order:
    def __init__(self, item):
        self.item = item
    @staticmethod
    def from_dict(values):
        return Order(values["item"])
    def to_dict(self):
        return {"ordered": self.item}

@functions_framework.typed
def order(order: Order):
    if order.item == "text":
        return "text", 201
    if order.item == "nothing":
        return None
    return order

@functions_framework.typed(Order)
def order_by_argument(order):
    return order
"""


@pytest.fixture
def run(
    start_python: Functions, python_packages: Callable[..., Path], tmp_path: Path
) -> Callable[..., FunctionProcess]:
    def run_version(
        version: str | None, handler: str, source: str = SOURCE, signature: str = "cloudevent"
    ) -> FunctionProcess:
        if version is not None:
            folder = python_packages(f"functions-framework=={version}")
            (tmp_path / "packages").symlink_to(folder)
        files = {"main.py": source, "templates/page.html": "<p>{{ name }}</p>", "static/s.txt": "s"}
        process = start_python(files, f"main.{handler}", FUNCTION_SIGNATURE=signature)
        process.wait_until_ready()
        return process

    return run_version


@pytest.mark.parametrize("version", VERSIONS)
def test_http_functions_run_with_their_error_handlers(run: Functions, version: str | None) -> None:
    process = run(version, "web")
    headers = {"content-type": "application/json"}
    answer = process.request("PUT", "/some/path?q=1", b'{"x": 1}', headers)
    assert (answer.status, answer.headers["x-own"], answer.headers["x-after"]) == (201, "1", "1")
    assert answer.json() == {
        "method": "PUT",
        "path": "/some/path",
        "args": {"q": "1"},
        "json": {"x": 1},
        "own": "mine",
    }
    answer = process.request("GET", "/divide")
    assert (answer.status, answer.body) == (418, b"I'm a teapot")
    answer = process.request("GET", "/missing")
    assert (answer.status, answer.json()) == (404, {"path": "/missing"})
    assert process.request("GET", "/template").body == b"<p>Ada</p>"
    assert process.request("GET", "/static/s.txt").body == b"s"
    assert process.request("GET", "/stream").body == b"012"
    assert process.request("GET", "/robots.txt").json()["path"] == "/robots.txt"
    for path in ("/fails", "/nothing"):
        answer = process.request("GET", path)
        assert (answer.status, answer.json()["reason"]) == (500, "HandlerFailed")
    process.wait_for_log("the secret is 12345")


@pytest.mark.parametrize("version", VERSIONS)
def test_functions_of_events_run_with_their_error_handlers(
    run: Functions, version: str | None
) -> None:
    process = run(version, "event", signature="http")
    assert process.send({"a": 1}).status == 204
    process.wait_for_log("got event-1: {'a': 1} com.example.tested mine")
    answer = process.send("divide")
    assert (answer.status, answer.body) == (418, b"I'm a teapot")
    answer = process.send("busy")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert process.send("abort").status == 400
    assert process.send("fails").json()["reason"] == "HandlerFailed"
    log = process.wait_for_log("RuntimeError: the secret is 12345")
    assert "lambda_runtime" not in log
    assert "handle_user_exception" not in log


@pytest.mark.parametrize("version", VERSIONS)
def test_callable_objects_run(run: Functions, version: str | None) -> None:
    process = run(version, "called", signature="http")
    assert process.request("GET").body == b"called with GET"


@pytest.mark.parametrize("version", ["3.0.0", None])
def test_callable_objects_run_with_events(run: Functions, version: str | None) -> None:
    assert run(version, "called_with_event").send().json() == {"called": "event-1"}


@pytest.mark.parametrize("version", VERSIONS_WITH_TYPED)
def test_typed_functions_run(run: Functions, version: str | None) -> None:
    process = run(version, "order", source=TYPED)
    headers = {"content-type": "application/json"}

    def ordered(item: str) -> tuple[int, bytes]:
        answer = process.request("POST", "/", json.dumps({"item": item}).encode(), headers)
        return answer.status, answer.body

    status, body = ordered("tea")
    assert (status, json.loads(body)) == (200, {"ordered": "tea"})
    assert ordered("text") == (201, b"text")
    assert ordered("nothing") == (200, b"")
    assert process.request("POST", "/", b"{}", headers).status == 500
    assert process.request("POST", "/", b"{", headers).status == 400


def test_a_type_may_be_the_decorators_argument(run: Functions) -> None:
    process = run(None, "order_by_argument", source=TYPED)
    headers = {"content-type": "application/json"}
    answer = process.request("POST", "/", b'{"item": "tea"}', headers)
    assert answer.json() == {"ordered": "tea"}


def test_an_error_handler_of_500_gets_every_other_error(run: Functions) -> None:
    source = """
import functions_framework

@functions_framework.errorhandler(500)
def failed(error):
    return f"sorry for {type(error.original_exception).__name__}", 500

@functions_framework.http
def web(request):
    raise KeyError
"""
    answer = run(None, "web", source=source).request("GET")
    assert (answer.status, answer.body) == (500, b"sorry for KeyError")


def test_a_plain_function_may_use_its_error_handlers_too(run: Functions) -> None:
    source = """
import functions_framework

@functions_framework.errorhandler(KeyError)
def missing(error):
    return "missing", 404

def web(request):
    return {}[request.path]
"""
    assert run(None, "web", source=source, signature="http").request("GET").status == 404


def test_an_error_in_an_error_handler_is_a_failure(run: Functions) -> None:
    source = """
import functions_framework

@functions_framework.errorhandler(KeyError)
def missing(error):
    raise RuntimeError("the secret is 12345")

@functions_framework.cloud_event
def event(event):
    raise KeyError
"""
    process = run(None, "event", source=source)
    assert process.send().json()["reason"] == "HandlerFailed"
    process.wait_for_log("the secret is 12345")
