"""Answers of WSGI applications and Flask's functions go out item by item."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

STREAMS = """
import itertools
import threading
from flask import Response, request, stream_with_context

go_on = threading.Event()

def endless(request):
    if request.path == "/again":
        return "free"
    def items():
        try:
            for number in itertools.count():
                yield f"data: {number}\\n\\n"
        finally:
            print("the generator was closed")
    return Response(items(), mimetype="text/event-stream")

def in_steps(request):
    if request.path == "/go-on":
        go_on.set()
        return "gone on"
    def items():
        yield "first"
        go_on.wait(10)
        yield ""
        yield "second " + request.args["q"]
    return Response(stream_with_context(items()))

def yielding(request):
    yield "a"
    yield "b"

def breaks(request):
    def items():
        yield "before"
        raise RuntimeError("the secret is 12345")
    return Response(items())

def afterwards(request):
    response = Response("answer")
    response.call_on_close(lambda: (go_on.wait(10), print("afterwards")))
    return response if request.path != "/go-on" else go_on.set() or "set"

def writes(environ, start_response):
    if environ["PATH_INFO"] == "/go-on":
        go_on.set()
    write = start_response("201 Created", [("x-own", "1")])
    write(b"first")
    go_on.wait(10)
    write(b"second")
    return [b"third"]

class changes_its_mind:
    def __init__(self, environ, start_response):
        start_response("200 OK", [("content-length", "3")])
        try:
            raise ValueError
        except ValueError:
            import sys
            start_response("503 Busy", [("content-length", "4")], sys.exc_info())
    def __iter__(self):
        return iter([b"", b"busy"[:2], b"busy"[2:]])
    def close(self):
        print("it was closed")

def headless(environ, start_response):
    return [b"no status"]

def text(environ, start_response):
    start_response("200 OK", [])
    return ["text"]
"""


@pytest.fixture
def run(start_python: Functions) -> Functions:
    def run_http(name: str, **environment: str) -> FunctionProcess:
        environment = {"FUNCTION_SIGNATURE": "http", "FUNCTION_CONCURRENCY": "2", **environment}
        process = start_python({"main.py": STREAMS}, f"main.{name}", **environment)
        process.wait_until_ready()
        return process

    return run_http


@contextlib.contextmanager
def reading(process: FunctionProcess, path: str = "/") -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
    try:
        connection.request("GET", path)
        yield connection.getresponse()
    finally:
        connection.close()


def test_an_endless_answer_comes_item_by_item_and_ends_with_its_reader(run: Functions) -> None:
    process = run("endless", FUNCTION_CONCURRENCY="1")
    with reading(process) as response:
        assert response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert response.read(9) == b"data: 0\n\n"
        assert response.read(9) == b"data: 1\n\n"
    process.wait_for_log("the generator was closed")
    assert process.request("GET", "/again").body == b"free"
    assert "Traceback" not in process.log


def test_an_endless_answer_is_broken_off_when_its_time_is_over(run: Functions) -> None:
    process = run("endless", FUNCTION_TIMEOUT_SECONDS="0.3", FUNCTION_CONCURRENCY="1")
    with reading(process) as response, pytest.raises((http.client.IncompleteRead, OSError)):
        response.read()
    process.wait_for_log("the generator was closed")
    assert "GET '/': the function did not finish within 0.3 s" in process.log
    assert "Traceback" not in process.log
    assert process.request("GET", "/again").body == b"free"
    assert process.request("GET", "/health/liveness").status == 200


def test_an_item_is_there_before_the_next_one_is_made(run: Functions) -> None:
    process = run("in_steps")
    with reading(process, "/?q=x") as response:
        assert response.read(5) == b"first"
        assert process.request("GET", "/go-on").body == b"gone on"
        assert response.read() == b"second x"


def test_what_was_written_is_there_before_the_application_returns(run: Functions) -> None:
    process = run("writes")
    with reading(process) as response:
        assert (response.status, response.getheader("x-own")) == (201, "1")
        assert response.read(5) == b"first"
        assert process.request("GET", "/go-on").body == b"firstsecondthird"
        assert response.read() == b"secondthird"


def test_a_function_that_yields_streams(run: Functions) -> None:
    assert run("yielding").request("GET").body == b"ab"


def test_an_error_in_the_middle_breaks_the_answer_off_and_is_logged(run: Functions) -> None:
    process = run("breaks")
    with reading(process) as response, pytest.raises(http.client.IncompleteRead):
        response.read()
    log = process.wait_for_log("RuntimeError: the secret is 12345")
    assert "lambda_runtime" not in log


def test_so_does_one_of_an_asgi_application(start_python: Functions) -> None:
    source = """
async def handler(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"before", "more_body": True})
    raise RuntimeError("the secret is 12345")
"""
    process = start_python({"main.py": source}, "main.handler", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    with reading(process) as response, pytest.raises(http.client.IncompleteRead):
        response.read()
    assert "lambda_runtime" not in process.wait_for_log("RuntimeError: the secret is 12345")


def test_what_is_done_after_the_answer_does_not_delay_it(run: Functions) -> None:
    process = run("afterwards")
    assert process.request("GET").body == b"answer"
    process.request("GET", "/go-on")
    process.wait_for_log("afterwards")


def test_an_application_may_change_its_status_before_the_first_item(run: Functions) -> None:
    process = run("changes_its_mind")
    answer = process.request("GET")
    assert (answer.status, answer.body) == (503, b"busy")
    process.wait_for_log("it was closed")


@pytest.mark.parametrize("name", ["headless", "text"])
def test_an_application_against_the_rules_is_answered_with_500(run: Functions, name: str) -> None:
    process = run(name)
    assert process.request("GET").json()["reason"] == "HandlerFailed"
