"""No caller of a Node.js function keeps its places or its memory for longer than its time."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.helpers.function_process import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

HTTP = {"FUNCTION_SIGNATURE": "http"}
SHORT = {"FUNCTION_TIMEOUT_SECONDS": "0.3", "FUNCTION_CONCURRENCY": "1"}
EVENT = "".join(f"ce-{name}: {value}\r\n" for name, value in ATTRIBUTES.items())
SIZE = 12_000_000
LARGE = f"Buffer.alloc({SIZE}, 120)"
# The answer is larger than all that the system keeps for a caller that does not read.
ANSWERS = {
    "ended": (HTTP, f"(request, response) => request.path === '/' && response.end({LARGE})"),
    "ended and then failed": (
        HTTP,
        f"(req, response) => {{ response.end({LARGE}); throw new Error('too late'); }}",
    ),
    "written": (HTTP, f"(request, response) => {{ response.write({LARGE}); }}"),
    "replied": ({}, f"() => {LARGE}"),
    "replied to a callback": ({}, f"(event, callback) => callback(null, {LARGE})"),
}


@contextlib.contextmanager
def _sent(process: FunctionProcess, head: str, body: bytes = b"") -> Iterator[socket.socket]:
    with socket.socket() as connection:
        connection.settimeout(20)
        connection.connect(("127.0.0.1", process.port))
        connection.sendall(f"{head} HTTP/1.1\r\nHost: x\r\n{EVENT}".encode() + body)
        yield connection


def _all_of(connection: socket.socket) -> bytes:
    """What comes until the connection closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 20):
            received += piece
    return received


def _run(start: Functions, handler: str, **settings: str) -> FunctionProcess:
    process = start({"index.js": f"exports.handler = {handler};"}, "index.handler", **settings)
    process.wait_until_ready()
    return process


EMPTY = b"Content-Length: 0\r\n\r\n"


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_nobody_reads_is_broken_off(start_node: Functions, answer: str) -> None:
    settings, handler = ANSWERS[answer]
    process = _run(start_node, handler, **SHORT, **settings)
    with _sent(process, "POST /", EMPTY) as connection:
        time.sleep(0.8)
        assert len(_all_of(connection)) < SIZE


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_callers_that_do_not_read_leave_room_for_others(
    start_node: Functions, signature: str
) -> None:
    handlers = {
        "http": f"(req, res) => res.end(req.path === '/small' ? 'small' : {LARGE})",
        "cloudevent": f"(event) => event.data ? 'small' : {LARGE}",
    }
    process = _run(start_node, handlers[signature], **SHORT, FUNCTION_SIGNATURE=signature)
    with _sent(process, "POST /", EMPTY), _sent(process, "POST /", EMPTY):
        time.sleep(0.8)
        headers = {f"ce-{name}": value for name, value in ATTRIBUTES.items()}
        headers["content-type"] = "application/json"
        assert process.request("POST", "/small", b"{}", headers).body in (b"small", b'"small"')


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_half_a_body_takes_no_place_and_is_given_up(start_node: Functions, signature: str) -> None:
    handler = "async (first, second) => first.specversion ? 1 : second.end('1')"
    settings = {"FUNCTION_CONCURRENCY": "1", "FUNCTION_SIGNATURE": signature}
    process = _run(start_node, handler, **settings, FUNCTION_TIMEOUT_SECONDS="1")
    half = b"Content-Length: 1000\r\n\r\nabc"
    with _sent(process, "POST /", half) as first, _sent(process, "POST /", half):
        assert process.send({}).body == b"1"
        told = _all_of(first)
    assert b" 504 " in told
    assert b"FunctionTimeout" in told
    assert b"the body did not come within 1 s" in told


REFUSED = {
    "too large": ("http", "POST /", b" 413 "),
    "too large for an event": ("cloudevent", "POST /", b" 413 "),
    "another method": ("cloudevent", "PUT /", b" 405 "),
    "health": ("cloudevent", "POST /health/liveness", b" 200 "),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_the_rest_of_a_body_that_nobody_wants_is_not_read_forever(
    start_node: Functions, refused: str
) -> None:
    signature, head, status = REFUSED[refused]
    settings = {"FUNCTION_SIGNATURE": signature, "FUNCTION_MAX_BODY_BYTES": "1000"}
    handler = "(request, response) => response.end('1')"
    process = _run(start_node, handler, **settings, FUNCTION_TIMEOUT_SECONDS="0.3")
    chunked = b"Transfer-Encoding: chunked\r\n\r\n" + b"7d0\r\n%b\r\n" % (b" " * 2000)
    with _sent(process, head, chunked) as connection:
        assert status in _all_of(connection)


def test_a_caller_that_leaves_the_queue_takes_no_place(start_node: Functions) -> None:
    handler = "(req, res) => setTimeout(() => res.end('1'), req.path === '/slow' ? 400 : 0)"
    settings = {"FUNCTION_CONCURRENCY": "1", "FUNCTION_TIMEOUT_SECONDS": "1"}
    process = _run(start_node, handler, **settings, **HTTP)
    with _sent(process, "GET /slow", b"\r\n"):
        time.sleep(0.1)
        with _sent(process, "GET /", b"\r\n"):
            time.sleep(0.1)
        assert process.request("GET").body == b"1"


def test_requests_behind_one_another_leave_with_their_connection(start_node: Functions) -> None:
    """Node tells nothing to a response that waits for another of its connection."""
    handler = "(request, response) => request.path === '/' && response.end('1')"
    settings = {"FUNCTION_CONCURRENCY": "2", "FUNCTION_TIMEOUT_SECONDS": "1"}
    process = _run(start_node, handler, **settings, **HTTP)
    behind = b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n"
    with _sent(process, "GET /never", b"\r\n" + 2 * behind):
        time.sleep(0.2)
    assert process.request("GET").body == b"1"


def test_an_event_whose_time_ends_in_the_queue_is_never_run(start_node: Functions) -> None:
    handler = """({ id, data: ms }) => {
      console.log("run", id);
      return new Promise((resolve) => setTimeout(() => resolve(console.log("end", id)), ms));
    }"""
    process = _run(start_node, handler, **SHORT)
    assert process.send(800, id="first").status == 504
    assert process.send(0, id="second").status == 504
    process.wait_for_log('event "second": the function did not finish within 0.3 s')
    process.wait_for_log("end first")
    assert process.send(0, id="third").status == 204
    assert "run second" not in process.log
