"""Which requests both runtimes take, and how they refuse the others."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.helpers.function_process import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "data"),
    [
        ("application/json", b'{"a": [1]}', "dict", {"a": [1]}),
        ("application/vnd.example+json; charset=utf-8", b"[1]", "list", [1]),
        ("text/plain", b"caf\xc3\xa9", "str", "café"),
        ("application/octet-stream", b"\x00\x01", "bytes", "0001"),
        ("application/json", b"", "NoneType", None),
    ],
    ids=["json", "structured-syntax-json", "text", "bytes", "empty"],
)
def test_binary_data_is_what_its_content_type_says(
    function: Functions, content_type: str, body: bytes, kind: str, data: object
) -> None:
    answer = function("describe").send(body, content_type)
    assert (answer.json()["kind"], answer.json()["data"]) == (kind, data)


def test_structured_events_are_read(function: Functions) -> None:
    event = {**ATTRIBUTES, "subject": "s", "extension1": 7, "data": {"a": 1}, "time": None}
    answer = function("describe").send_structured(event)
    assert answer.json() == {"id": "event-1", "subject": "s", "kind": "dict", "data": {"a": 1}}


def test_structured_binary_data_is_decoded(function: Functions) -> None:
    data = base64.b64encode(b"\x01\x02").decode()
    media_type = "application/octet-stream"
    event = {**ATTRIBUTES, "datacontenttype": media_type, "data_base64": data}
    assert function("describe").send_structured(event).json()["data"] == "0102"


@pytest.mark.parametrize(
    "extensions",
    [
        {f"e{number}": "x" for number in range(251)},
        {"big": "%C3%A9" * 32_000},
        {f"e{number}": "x" * 600 for number in range(100)},
    ],
    ids=["256 of them", "one that is encoded", "many that are long"],
)
def test_all_attributes_that_an_event_may_have_fit_its_head(
    function: Functions, extensions: dict[str, str]
) -> None:
    answer = function("describe").send({}, **extensions)
    assert (answer.status, answer.json()["id"]) == (200, "event-1")


@pytest.mark.parametrize(
    ("sent", "read"),
    [("caf%C3%A9%20%22x%22", 'café "x"'), ('"quoted"', "quoted"), ("plain/text", "plain/text")],
)
def test_header_values_are_decoded(function: Functions, sent: str, read: str) -> None:
    assert function("describe").send(subject=sent).json()["subject"] == read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", ""),
        ("source", ""),
        ("type", None),
        ("specversion", "0.3"),
        ("time", "yesterday"),
        ("time", "2026-02-30T00:00:00Z"),
        ("time", "2026-01-01 00:00:00Z"),
        ("subject", ""),
        ("my-extension", "x"),
        ("subject", "%ff"),
    ],
)
def test_an_invalid_attribute_is_400_and_named(
    function: Functions, field: str, value: str | None
) -> None:
    answer = function("describe").send(**{field: value})
    assert answer.status == 400
    assert answer.json()["field"] == field
    assert answer.json()["reason"] == "InvalidEvent"


@pytest.mark.parametrize(
    "time",
    ["2026-01-01T00:00:00Z", "2026-01-01t00:00:00.123456789+05:30", "2016-12-31T23:59:60Z"],
)
def test_all_rfc_3339_times_are_valid(function: Functions, time: str) -> None:
    assert function("describe").send(time=time).status == 200


@pytest.mark.parametrize(
    "event",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        {**ATTRIBUTES, "id": 5},
        {**ATTRIBUTES, "Upper": "x"},
        {**ATTRIBUTES, "extension": {"a": 1}},
        {**ATTRIBUTES, "data": 1, "data_base64": "AA=="},
        {**ATTRIBUTES, "data_base64": "no base64!"},
        {**ATTRIBUTES, "specversion": 1.0},
        {},
    ],
    ids=range(12),
)
def test_an_invalid_structured_event_is_400(function: Functions, event: object) -> None:
    answer = function("describe").send_structured(event)
    assert (answer.status, answer.json()["reason"]) == (400, "InvalidEvent")


def test_json_that_is_none_is_400_and_named(function: Functions) -> None:
    answer = function("describe").send(b'{"a":')
    assert (answer.status, answer.json()["field"]) == (400, "data")


def test_a_request_without_an_event_is_400(function: Functions) -> None:
    answer = function("describe").request("POST", "/", b"{}", {"content-type": "application/json"})
    assert (answer.status, answer.json()["reason"]) == (400, "NotACloudEvent")


@pytest.mark.parametrize("media_type", ["cloudevents-batch+json", "cloudevents+xml"])
def test_batches_and_other_formats_are_415(function: Functions, media_type: str) -> None:
    headers = {"content-type": f"application/{media_type}"}
    answer = function("describe").request("POST", "/", b"[]", headers)
    assert (answer.status, answer.json()["reason"]) == (415, "UnsupportedEventFormat")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_events_come_by_post_alone(function: Functions, method: str) -> None:
    answer = function("describe").request(method, "/")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(function: Functions, chunked: bool) -> None:
    process = function("describe", FUNCTION_MAX_BODY_BYTES="1000")
    body = iter([b"x" * 600, b"x" * 600]) if chunked else b"x" * 1200
    answer = process.request("POST", "/", body, {"content-type": "text/plain"})
    assert (answer.status, answer.json()["reason"]) == (413, "BodyTooLarge")


def test_a_body_at_the_limit_is_taken(function: Functions) -> None:
    process = function("describe", FUNCTION_MAX_BODY_BYTES="1000")
    assert process.send(b"x" * 1000, "text/plain").status == 200


def test_errors_stay_short_whatever_was_sent(function: Functions) -> None:
    answer = function("describe").send_structured({**ATTRIBUTES, '\u00e9"' * 5000: "x"})
    assert answer.status == 400
    assert len(answer.body) <= 512
