"""Callers that do not read, or send without an end, keep neither slots nor memory."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.helpers.function_process import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

SIZE = 20 << 20
SOURCE = """
from starlette.responses import Response, StreamingResponse
LARGE = b"x" * (20 << 20)

def flask(request):
    return LARGE if request.path == "/large" else "small"

def flask_items(request):
    if request.path != "/large":
        return "small"
    def items():
        try:
            while True:
                yield LARGE[:1 << 20]
        finally:
            print("the generator was closed", flush=True)
    return items()

async def starlette(request):
    return Response(LARGE if request.url.path == "/large" else b"small")

async def starlette_items(request):
    return StreamingResponse(iter([LARGE, LARGE])) if request.url.path == "/large" else "small"

async def asgi(scope, receive, send):
    body = LARGE if scope["path"] == "/large" else b"small"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

def event(event):
    return LARGE.decode()

def nothing(events):
    return None

def empty_items(environ, start_response):
    start_response("200 OK", [])
    def items():
        try:
            while environ["PATH_INFO"] == "/large":
                yield b""
        finally:
            print("the generator was closed", flush=True)
    return items()
"""
HEAD = "".join(f"ce-{name}: {value}\r\n" for name, value in ATTRIBUTES.items())


@pytest.fixture
def run(start_python: Functions) -> Functions:
    def run_slowly(name: str, **environment: str) -> FunctionProcess:
        defaults = {
            "FUNCTION_SIGNATURE": "http",
            "FUNCTION_CONCURRENCY": "1",
            "FUNCTION_TIMEOUT_SECONDS": "0.3",
        }
        process = start_python({"main.py": SOURCE}, f"main.{name}", **{**defaults, **environment})
        process.wait_until_ready()
        return process

    return run_slowly


@contextlib.contextmanager
def sending(process: FunctionProcess, said: str) -> Iterator[socket.socket]:
    """A caller that has said this, and takes a few KiB at most until it reads."""
    with socket.socket() as caller:
        caller.settimeout(10)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", process.port))
        caller.sendall(said.encode())
        yield caller


def everything(caller: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := caller.recv(1 << 20):
            received += piece
    return bytes(received)


LARGE = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("name", ["flask", "flask_items", "starlette", "starlette_items", "asgi"])
def test_an_answer_that_nobody_takes_is_broken_off_at_the_end_of_its_time(
    run: Functions, name: str
) -> None:
    process = run(name)
    with sending(process, LARGE) as caller:
        process.wait_for_log("GET '/large': the function did not finish within 0.3 s")
        assert process.request("GET", "/small").body == b"small"
        process.wait_until_ready("/health/liveness")
        assert len(everything(caller)) < SIZE
    assert "Traceback" not in process.log


def test_a_reply_that_nobody_takes_is_broken_off(run: Functions) -> None:
    process = run("event", FUNCTION_SIGNATURE="cloudevent")
    with sending(
        process, f"POST / HTTP/1.1\r\nHost: x\r\n{HEAD}Content-Length: 0\r\n\r\n"
    ) as caller:
        process.wait_for_log("a caller did not receive its response within 0.3 s")
        assert len(everything(caller)) < SIZE


@pytest.mark.parametrize("name", ["flask", "starlette", "asgi"])
def test_a_large_answer_reaches_a_caller_that_reads(run: Functions, name: str) -> None:
    process = run(name, FUNCTION_TIMEOUT_SECONDS="20")
    answers = process.requests([("GET", None), ("GET", None)])
    assert answers == [b"small", b"small"]
    assert len(process.request("GET", "/large").body) == SIZE


def test_empty_items_end_with_their_caller(run: Functions) -> None:
    process = run("empty_items", FUNCTION_TIMEOUT_SECONDS="20")
    with sending(process, LARGE) as caller:
        process.request("GET", "/health/liveness")
        # A reset, as of a caller that crashed.
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    process.wait_for_log("the generator was closed")
    assert process.request("GET", "/small").status == 200


def test_empty_items_end_with_their_time(run: Functions) -> None:
    process = run("empty_items")
    assert process.request("GET", "/large").status == 504
    process.wait_for_log("the generator was closed")


@pytest.mark.parametrize("name", ["flask", "starlette"])
def test_a_body_that_does_not_come_keeps_no_slot_and_is_answered(run: Functions, name: str) -> None:
    process = run(name, FUNCTION_TIMEOUT_SECONDS="1")
    with sending(process, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab") as caller:
        assert process.request("GET", "/small").body == b"small"
        response = http.client.HTTPResponse(caller)
        response.begin()
        assert (response.status, b"the body did not come" in response.read()) == (504, True)


def test_an_event_that_does_not_come_is_answered(run: Functions) -> None:
    process = run("nothing", FUNCTION_SIGNATURE="cloudevent")
    with sending(
        process, f"POST / HTTP/1.1\r\nHost: x\r\n{HEAD}Content-Length: 9\r\n\r\n"
    ) as caller:
        assert caller.recv(12) == b"HTTP/1.1 504"


@pytest.mark.parametrize(
    "endless", ["GET /{}", "GET / HTTP/1.1\r\nx: {}", "\r\n{}", "GET / HTTP/1.1\r\n{}"]
)
def test_a_head_without_an_end_is_refused(run: Functions, endless: str) -> None:
    process = run("flask")
    filler = "x: y\r\n" if endless.endswith("\n{}") else "a"
    said = endless.format(filler * ((1 << 20) // len(filler)))
    with contextlib.suppress(ConnectionError), sending(process, said) as caller:
        assert everything(caller)[9:12] in (b"431", b"400", b"")
    assert process.request("GET", "/small").body == b"small"


# The two times that no setting changes.
IMPATIENT = """
from lambda_runtime import connection
connection._HEAD_SECONDS = connection._DRAIN_SECONDS = 0.3
"""


@pytest.fixture
def impatient(start_python: Functions) -> FunctionProcess:
    environment = {"FUNCTION_SIGNATURE": "http", "FUNCTION_MAX_BODY_BYTES": "10"}
    process = start_python({"main.py": IMPATIENT + SOURCE}, "main.flask", **environment)
    process.wait_until_ready()
    return process


def test_a_head_that_does_not_come_ends_the_connection(impatient: FunctionProcess) -> None:
    with sending(impatient, "GET / HTTP/1.1\r\nHost:") as caller:
        assert everything(caller) == b""


def test_so_does_the_next_head_on_a_connection(impatient: FunctionProcess) -> None:
    with sending(impatient, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") as caller:
        assert caller.recv(12) == b"HTTP/1.1 200"
        caller.sendall(b"GET / HTTP/1.1\r\n")
        assert everything(caller).endswith(b"small")


def test_a_sender_without_an_end_reads_413_and_is_cut_off(impatient: FunctionProcess) -> None:
    chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with sending(impatient, chunked) as caller, pytest.raises(ConnectionError):
        while True:
            caller.sendall(b"400\r\n%b\r\n" % (b" " * 1024))


def test_a_connection_that_is_in_time_stays(impatient: FunctionProcess) -> None:
    process = impatient
    with sending(process, "") as caller:
        for _ in range(3):
            caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
            caller.sendall(b"b")
            response = http.client.HTTPResponse(caller)
            response.begin()
            assert response.read() == b"small"
            process.request("GET", "/")


def test_trailers_without_an_end_are_cut_off(impatient: FunctionProcess) -> None:
    said = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\n"
    with sending(impatient, said) as caller, pytest.raises(ConnectionError):
        while True:
            caller.sendall(b"x: y\r\n" * 1024)
