"""`signature: http` in its plain shapes: Flask's request, ASGI, WSGI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

SHAPES = """
import asyncio
import flask
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
import contextlib

def plain(request):
    return f"hello {request.args.get('name')}"

async def coroutine(request):
    return {"body": (await request.body()).decode()}

wsgi = flask.Flask("mine")

@wsgi.get("/only/<name>")
def only(name):
    return {"name": name}

ready = []

@contextlib.asynccontextmanager
async def lifespan(app):
    ready.append(True)
    yield
    print("lifespan ended")

async def home(request):
    body = await request.body()
    return JSONResponse({"ready": ready, "size": len(body)})

async def stream(request):
    async def parts():
        for i in range(3):
            yield str(i)
            await asyncio.sleep(0.01)
    return StreamingResponse(parts())

async def fails(request):
    raise RuntimeError("the secret is 12345")

async def slow(request):
    await asyncio.sleep(10)

routes = [Route("/", home, methods=["GET", "POST"]), Route("/stream", stream),
          Route("/fails", fails), Route("/slow", slow)]
asgi = Starlette(routes=routes, lifespan=lifespan)

async def bare_asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 207, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


@pytest.fixture
def run(start_python: Functions) -> Functions:
    def run_http(name: str, **environment: str) -> FunctionProcess:
        environment = {"FUNCTION_SIGNATURE": "http", **environment}
        process = start_python({"main.py": SHAPES}, f"main.{name}", **environment)
        process.wait_until_ready()
        return process

    return run_http


def test_a_plain_function_gets_flasks_request(run: Functions) -> None:
    assert run("plain").request("GET", "/any/path?name=Ada").body == b"hello Ada"


def test_a_coroutine_gets_starlettes_request(run: Functions) -> None:
    assert run("coroutine").request("POST", "/", b"abc").json() == {"body": "abc"}


def test_a_wsgi_application_is_served(run: Functions) -> None:
    process = run("wsgi")
    assert process.request("GET", "/only/this").json() == {"name": "this"}
    assert process.request("GET", "/other").status == 404


def test_an_asgi_application_is_served_with_its_lifespan(run: Functions) -> None:
    process = run("asgi", FUNCTION_MAX_BODY_BYTES="1000")
    assert process.request("POST", "/", b"x" * 1000).json() == {"ready": [True], "size": 1000}
    assert process.request("GET", "/stream").body == b"012"
    assert process.request("POST", "/", b"x" * 1001).status == 413
    assert process.request("POST", "/", iter([b"x" * 600, b"x" * 600])).status == 413
    assert process.request("GET", "/health/readiness").status == 200
    assert process.stop() == 0
    assert "lifespan ended" in process.log


def test_errors_and_timeouts_of_an_asgi_application_are_answered(run: Functions) -> None:
    process = run("asgi", FUNCTION_TIMEOUT_SECONDS="0.3")
    assert process.request("GET", "/slow").status == 504
    assert process.request("GET", "/fails").status == 500
    process.wait_for_log("the secret is 12345")


def test_an_asgi_function_without_a_framework_is_served(run: Functions) -> None:
    answer = run("bare_asgi").request("GET", "/path")
    assert (answer.status, answer.body) == (207, b"/path")


def test_a_large_body_is_413_for_a_plain_function_too(run: Functions) -> None:
    process = run("plain", FUNCTION_MAX_BODY_BYTES="10")
    assert process.request("POST", "/", b"x" * 11).status == 413
