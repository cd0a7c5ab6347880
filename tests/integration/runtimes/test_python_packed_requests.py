"""Functions of requests find their body unpacked; whole applications find it as it came."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.helpers.cloudevent_bodies import PACKED, bomb

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

SOURCE = """
import functions_framework
import flask as web

def said(request):
    names = ("Content-Encoding", "Content-Length", "Transfer-Encoding")
    return [request.headers.get(name) for name in names]

def flask(request):
    return {"data": request.get_json(), "head": said(request)}

@functions_framework.http
def decorated(request):
    return flask(request)

async def starlette(request):
    return {"data": await request.json(), "head": said(request)}

wsgi = web.Flask("mine")

@wsgi.post("/")
def whole():
    return {"data": web.request.get_data().hex(), "head": said(web.request)}
"""
JSON = {"content-type": "application/json"}
FUNCTIONS = ["flask", "decorated", "starlette"]


@pytest.fixture
def run(start_python: Functions) -> Functions:
    def run_http(name: str) -> FunctionProcess:
        environment = {"FUNCTION_SIGNATURE": "http", "FUNCTION_MAX_BODY_BYTES": "1000000"}
        process = start_python({"main.py": SOURCE}, f"main.{name}", **environment)
        process.wait_until_ready()
        return process

    return run_http


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_finds_its_body_unpacked(run: Functions, name: str) -> None:
    process = run(name)
    for encoding, body, refused in PACKED.values():
        answer = process.request("POST", "/", body, {**JSON, "content-encoding": encoding})
        if refused is None:
            assert answer.json()["data"] == {}
        else:
            assert (answer.status, answer.json()["field"]) == (refused, "Content-Encoding")
    headers = {**JSON, "content-encoding": "gzip"}
    packed = gzip.compress(b'{"a": 1}')
    for sent in (packed, iter([packed])):
        answer = process.request("POST", "/", sent, headers)
        assert answer.json() == {"data": {"a": 1}, "head": [None, "8", None]}
    assert process.request("POST", "/", bomb(1_000_000), headers).json()["reason"] == "BodyTooLarge"


def test_a_whole_application_finds_it_as_it_came(run: Functions) -> None:
    packed = gzip.compress(b"{}")
    answer = run("wsgi").request("POST", "/", packed, {"content-encoding": "gzip"})
    assert answer.json() == {"data": packed.hex(), "head": ["gzip", str(len(packed)), None]}
