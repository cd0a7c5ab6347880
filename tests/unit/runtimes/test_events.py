"""No request, however odd, does anything but give an event or a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lambda_runtime.attributes import check_name, parse_time
from lambda_runtime.errors import InvalidReplyError, RejectedRequestError
from lambda_runtime.events import json_or_bytes, read_event, typed_data
from lambda_runtime.replies import ReplyEncoder
from lambda_runtime.responses import error_response

ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
STRUCTURED = [(b"content-type", b"application/cloudevents+json; charset=utf-8")]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
# What CloudEvents allow in a String: no control characters, surrogates, noncharacters.
ATTRIBUTE_TEXTS = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"),
        exclude_characters=[*map(chr, range(0xFDD0, 0xFDF0)), "\ufffe", "\uffff"],
    ),
    min_size=1,
)
HEADER_NAMES = st.sampled_from(
    [b"ce-id", b"ce-source", b"ce-type", b"ce-specversion", b"ce-time", b"ce-x", b"content-type"]
) | st.binary(max_size=10).map(bytes.lower)


def _outcome(headers: list[tuple[bytes, bytes]], body: bytes) -> dict[str, Any] | int:
    """The attributes, or the status of the refusal; any other error fails the test."""
    try:
        return read_event(headers, body, typed_data)[0]
    except RejectedRequestError as refusal:
        return refusal.status


@given(st.lists(st.tuples(HEADER_NAMES, st.binary(max_size=30))), st.binary(max_size=100))
def test_any_headers_and_body_are_an_event_or_refused(
    headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    outcome = _outcome(headers, body)
    assert outcome in (400, 415) or (isinstance(outcome, dict) and outcome["id"])


@given(st.dictionaries(st.sampled_from([*ATTRIBUTES, "time", "data", "data_base64", "x"]), JSON))
def test_any_structured_document_is_an_event_or_refused(document: dict[str, Any]) -> None:
    body = json.dumps({**ATTRIBUTES, **document}).encode()
    outcome = _outcome(STRUCTURED, body)
    values = outcome.values() if isinstance(outcome, dict) else [outcome]
    assert outcome == 400 or all(isinstance(value, str | bool | int) for value in values)


@given(ATTRIBUTE_TEXTS, JSON)
def test_what_is_replied_is_read_back_the_same(subject: str, data: Any) -> None:
    encode = ReplyEncoder(namespace="n", name="f")
    request = {**ATTRIBUTES, "correlationid": subject}
    response = encode(request, data)
    if data is None:
        assert (response.status, response.body) == (204, b"")
        return
    attributes, read = read_event(response.headers, response.body, typed_data)
    assert read == data
    assert attributes["correlationid"] == subject
    assert attributes["lambdafunction"] == "n/f"


@pytest.mark.parametrize("data", [float("inf"), float("nan"), object(), {1: {2}}])
def test_what_json_does_not_know_is_no_reply(data: object) -> None:
    with pytest.raises(InvalidReplyError, match="is not JSON"):
        ReplyEncoder(namespace="n", name="f")(ATTRIBUTES, data)


@given(st.text(), st.text(), st.text() | st.none())
def test_error_bodies_are_json_of_at_most_512_bytes(
    reason: str, message: str, field: str | None
) -> None:
    response = error_response(400, reason[:40], message, field)
    assert len(response.body) <= 512
    assert json.loads(response.body)["reason"] == reason[:40].encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "name", ["", "data", "Upper", "with-dash", "with_underscore", "é", "²", "a b"]
)
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(RejectedRequestError):
        check_name(name)


@pytest.mark.parametrize(
    "time",
    [
        "",
        "2026-01-01",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T25:00:00Z",
        "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
        5,
    ],
)
def test_times_that_are_none_are_refused(time: object) -> None:
    with pytest.raises(RejectedRequestError):
        parse_time(time)


def test_an_attribute_that_is_given_twice_is_refused() -> None:
    headers = [(f"ce-{name}".encode(), value.encode()) for name, value in ATTRIBUTES.items()]
    with pytest.raises(RejectedRequestError, match="given twice"):
        read_event([*headers, (b"ce-id", b"2")], b"", typed_data)


@pytest.mark.parametrize(
    ("body", "data"), [(b"", None), (b"[1]", [1]), (b"text", b"text"), (b"\xff", b"\xff")]
)
def test_data_without_a_content_type_is_json_where_it_can_be(body: bytes, data: object) -> None:
    assert typed_data(None, body) == data
    assert json_or_bytes(None, body) == data
