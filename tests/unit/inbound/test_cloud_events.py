"""CloudEvents in HTTP messages and in JSON."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.http_binding import carries_event, from_http, to_http
from knative_lambda.inbound.json_format import from_json, to_json
from knative_lambda.inbound.valid_event import CloudEvent, create_event

VALID = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}

# What the specification allows in a String: no control characters, surrogates, noncharacters.
texts = st.text(
    st.characters(
        min_codepoint=0x20,
        exclude_categories=("Cc", "Cs"),
        exclude_characters=[*map(chr, range(0xFDD0, 0xFDF0)), "\ufffe", "\uffff"],
    ),
    min_size=1,
)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in {*VALID, "data", "time", "datacontenttype", "dataschema", "subject"}
)
valid_events = st.builds(
    lambda extensions, subject, data, content_type: create_event(
        {**VALID, "subject": subject, "datacontenttype": content_type, **extensions}, data
    ),
    st.dictionaries(names, texts, max_size=4),
    texts,
    st.binary(min_size=1),
    st.sampled_from(["application/json", "text/plain", "image/png"]),
)


@given(valid_events)
def test_an_event_survives_binary_mode(event):
    headers, body = to_http(event)

    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert from_http(headers.items(), body) == event


@given(valid_events)
def test_an_event_survives_its_json_form(event):
    again = from_json(json.dumps(to_json(event)).encode())

    assert again.attributes == event.attributes
    if event.attributes["datacontenttype"] == "application/json" and "data" in to_json(event):
        assert json.loads(again.data) == json.loads(event.data)
    else:
        assert again.data == event.data


@pytest.mark.parametrize("data", [b"1e400", b"9" * 309, b"[" * 513 + b"]" * 513, b"NaN", b"{"])
def test_data_that_is_no_json_to_everyone_is_shown_as_its_bytes(data):
    shown = to_json(create_event({**VALID, "datacontenttype": "application/json"}, data))

    assert shown["data_base64"] == base64.b64encode(data).decode()
    assert "data" not in shown


@given(st.binary(max_size=100))
def test_any_body_is_an_event_or_an_invalid_one(body):
    with suppress(InvalidEventError):
        assert isinstance(from_json(body), CloudEvent)


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=30)))
def test_any_attributes_are_an_event_or_an_invalid_one(attributes):
    with suppress(InvalidEventError):
        assert isinstance(create_event({**VALID, **attributes}), CloudEvent)


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02t03:04:05.123456789z",
        "2026-01-02T03:04:05+02:00",
        "2016-12-31T23:59:60Z",
    ],
)
def test_times_are_rfc_3339(time):
    assert create_event({**VALID, "time": time}).attributes["time"] == time


@pytest.mark.parametrize(
    "time",
    ["2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02 03:04:05Z", "now"],
)
def test_other_times_are_refused(time):
    with pytest.raises(InvalidEventError, match="RFC 3339"):
        create_event({**VALID, "time": time})


def test_an_attribute_that_is_there_twice_is_refused():
    headers = [(f"ce-{name}", value) for name, value in VALID.items()]

    with pytest.raises(InvalidEventError, match="once"):
        from_http([*headers, ("CE-ID", "2")], b"")


def test_an_identity_holds_no_comma_on_its_way():
    """Servers join the values of two headers with one."""
    headers, _ = to_http(create_event({**VALID, "id": "a,b", "tracestate": "a=1,b=2"}))

    assert headers["ce-id"] == "a%2Cb"
    assert headers["ce-tracestate"] == "a=1,b=2"
    assert from_http(headers.items(), b"").attributes["id"] == "a,b"


def test_a_message_without_the_marks_of_an_event_carries_none():
    assert not carries_event([("content-type", "application/json")])
    assert carries_event([("Content-Type", "application/cloudevents+json; charset=utf-8")])
    assert carries_event([("Ce-Specversion", "1.0")])


def test_null_attributes_of_the_json_form_are_absent():
    body = json.dumps({**VALID, "subject": None, "flag": True, "data": "x"}).encode()

    event = from_json(body)

    assert event.attributes == {**VALID, "flag": "true", "datacontenttype": "application/json"}
    assert event.data == b'"x"'
