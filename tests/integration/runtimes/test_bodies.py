"""Bodies that are packed or too large, as both runtimes take them."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.cloudevent_bodies import EVENT, PACKED, bomb

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

LIMIT = 6 * 1024 * 1024


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_body_is_unpacked_or_refused_with_a_reason(function: Functions, name: str) -> None:
    encoding, body, refused = PACKED[name]
    answer = function("describe").request(
        "POST", "/", body, {**EVENT, "content-encoding": encoding}
    )
    if refused is None:
        assert answer.json()["data"] == {}
    else:
        assert (answer.status, answer.json()["field"]) == (refused, "Content-Encoding")


def test_a_structured_event_may_be_packed(function: Functions) -> None:
    event = {"specversion": "1.0", "id": "x", "source": "/s", "type": "t", "data": [1]}
    headers = {"content-type": "application/cloudevents+json", "content-encoding": "gzip"}
    body = gzip.compress(json.dumps(event).encode())
    assert function("describe").request("POST", "/", body, headers).json()["id"] == "x"


def test_data_in_base64_may_be_as_long_as_a_body(function: Functions) -> None:
    data = base64.b64encode(b"\xff" * 3 * 1024 * 1024).decode()
    event = {"specversion": "1.0", "id": "x", "source": "/s", "type": "t", "data_base64": data}
    answer = function("describe").send_structured({**event, "datacontenttype": "image/png"})
    assert (answer.status, answer.json()["kind"]) == (200, "bytes")


def test_the_limit_counts_what_is_unpacked(function: Functions) -> None:
    process = function("describe", FUNCTION_MAX_BODY_BYTES="1000")
    headers = {**EVENT, "content-encoding": "gzip"}
    taken = process.request("POST", "/", gzip.compress(b"[" + b" " * 998 + b"]"), headers)
    refused = process.request("POST", "/", bomb(1000), headers)
    assert taken.status == 200
    assert (refused.status, refused.json()["reason"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize("form", ["length", "chunked", "expectation"])
def test_a_sender_that_sends_on_reads_413(function: Functions, form: str) -> None:
    """The answer comes while the sender is at its body: it must not be lost with a reset."""
    process = function("describe")
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", process.port), timeout=20) as connection:
            status, body = _send_too_much(connection, form)
            assert (status, body["reason"]) == (413, "BodyTooLarge")
            # What was left of the body is no request.
            connection.sendall(b"GET /health/liveness HTTP/1.1\r\nHost: x\r\n\r\n")
            assert _answer(connection)[0] == 200


def _send_too_much(connection: socket.socket, form: str) -> tuple[int, Any]:
    head = "".join(f"{name}: {value}\r\n" for name, value in EVENT.items())
    lengths = f"Content-Length: {LIMIT + 1}\r\n"
    if form == "chunked":
        lengths = "Transfer-Encoding: chunked\r\n"
    elif form == "expectation":
        lengths += "Expect: 100-continue\r\n"
    connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}{lengths}\r\n".encode())
    piece = b" " * 65536
    for _ in range(LIMIT // len(piece)):
        connection.sendall(b"10000\r\n%b\r\n" % piece if form == "chunked" else piece)
    connection.sendall(b"1\r\n \r\n0\r\n\r\n" if form == "chunked" else b" ")
    return _answer(connection)


def _answer(connection: socket.socket) -> tuple[int, Any]:
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    is_json = response.getheader("content-type") == "application/json"
    return response.status, json.loads(body) if is_json else body


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("ce-id", b"2", "id"),
        ("CE-ID", b"1", "id"),
        ("ce-source", b"/s", "source"),
        ("ce-subject", b"caf\xe9", "subject"),
        ("content-type", b"text/plain", "datacontenttype"),
    ],
)
def test_a_header_too_many_or_of_no_text_is_400(
    function: Functions, name: str, value: bytes, field: str
) -> None:
    head = "".join(f"{key}: {said}\r\n" for key, said in EVENT.items()).encode()
    head += name.encode() + b": " + value + b"\r\n"
    with socket.create_connection(("127.0.0.1", function("describe").port), 20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%b\r\n{}" % head)
        status, body = _answer(connection)
    assert (status, body["reason"], body["field"]) == (400, "InvalidEvent", field)


@pytest.mark.parametrize("sent", ["a%20b", '"a b"', "a b", '"a%20b"'])
def test_one_identity_is_read_from_every_form(function: Functions, sent: str) -> None:
    event = {"specversion": "1.0", "id": "a b", "source": "/s", "type": "t"}
    structured = function("describe").send_structured(event)
    binary = function("describe").send({}, id=sent, source="/s", type="t")
    assert (binary.json()["id"], structured.json()["id"]) == ("a b", "a b")
    assert binary.headers["ce-id"] == structured.headers["ce-id"]


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "data"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "str", "café"),
        ("text/plain; charset=shift_jis", b"\x83\x65", "bytes", "8365"),
        ("text/plain", b"caf\xe9", "bytes", "636166e9"),
        ("application/json", b'\xef\xbb\xbf{"a": 1}', "dict", {"a": 1}),
    ],
)
def test_data_is_decoded_alike(
    function: Functions, content_type: str, body: bytes, kind: str, data: object
) -> None:
    answer = function("describe").send(body, content_type).json()
    assert (answer["kind"], answer["data"]) == (kind, data)
