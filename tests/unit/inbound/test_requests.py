import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import BuildStart, Delete
from knative_lambda.inbound.cloud_events import read_data, read_function
from knative_lambda.inbound.endpoint import MAX_BODY_BYTES
from tests.helpers.cloudevent_bodies import PACKED, bomb
from tests.unit.inbound.helpers.requests import (
    BINARY,
    STRUCTURED,
    Recorder,
    chunked,
    request,
    structured,
)


def received(made):
    recorder = Recorder()
    status, _, body = recorder.send(made)
    assert (status, body) == (204, b"")
    (event,) = recorder.events
    return event


def test_a_binary_event_is_understood():
    headers = BINARY | {
        "ce-subject": "default/hello",
        "ce-time": "2026-01-01T14:00:00.5+02:00",
        "ce-correlationid": "c-1",
        "ce-dataschema": "https://schema",
    }
    event = received(request(headers, b'{"a": 1}'))
    assert (event.id, event.source, event.type, event.subject) == (
        "1",
        "/test",
        "t",
        "default/hello",
    )
    assert event.time == datetime(2026, 1, 1, 12, 0, 0, 500_000, UTC)
    assert event.data == {"a": 1}
    assert event.extensions == {"correlationid": "c-1"}


def test_a_structured_event_is_the_same_event():
    event = received(structured(subject="default/hello", data={"a": 1}, correlationid="c-1"))
    assert (event.id, event.subject, event.data) == ("1", "default/hello", {"a": 1})
    assert event.extensions == {"correlationid": "c-1"}


def test_an_extension_that_is_no_text_is_what_a_header_would_say():
    extensions = {"sampled": "true", "count": "1"}
    assert received(structured(sampled=True, count=1)).extensions == extensions
    binary = BINARY | {f"ce-{name}": value for name, value in extensions.items()}
    assert received(request(binary)).extensions == extensions


@pytest.mark.parametrize("made", [request(BINARY), structured(), structured(time=None)], ids=str)
def test_an_event_without_time_has_none(made):
    assert received(made).time is None


def test_an_event_without_data_has_none():
    assert received(request(body=b"")).data is None


@pytest.mark.parametrize("path", ["/health/liveness", "/health/readiness"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_probes_are_answered_without_loading_anything(method, path):
    def handlers():
        raise AssertionError("a probe needs no handlers")

    recorder = Recorder()
    object.__setattr__(recorder.endpoint, "handlers", handlers)
    assert recorder.send(request({}, b"", method=method, path=path))[0] == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_any_other_method_is_not_allowed(method):
    status, headers, _ = Recorder().send(request({}, b"", method=method))
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("made", "status", "field"),
    [
        (request({}, b""), 400, "specversion"),
        (request({"content-type": "text/plain"}, b"hello"), 400, "specversion"),
        (request(STRUCTURED, b"{"), 400, None),
        (request(STRUCTURED, b"[1]"), 400, None),
        (request(STRUCTURED, b"5"), 400, None),
        (request(STRUCTURED, b"\xff\xfe"), 400, None),
        (request(STRUCTURED, b"[" * 200_000), 400, None),
        (request(STRUCTURED, b'{"specversion": [], "id": "1"}'), 400, "specversion"),
        (request(STRUCTURED, b'{"specversion": ' + b"9" * 5000 + b"}"), 400, None),
        (structured(specversion="0.3"), 400, "specversion"),
        (structured(specversion="2.0"), 400, "specversion"),
        (structured(id=""), 400, "id"),
        (structured(id=None), 400, "id"),
        (structured(id=5), 400, "id"),
        (structured(id="\ud800"), 400, "id"),
        (structured(id="a\nb"), 400, "id"),
        (structured(id="a" * 2049), 400, "id"),
        (structured(source=""), 400, "source"),
        (structured(type=["t"]), 400, "type"),
        (structured(type="other"), 400, "type"),
        (structured(subject=""), 400, "subject"),
        (structured(subject="\udfff"), 400, "subject"),
        (structured(subject={"a": 1}), 400, "subject"),
        (structured(time="yesterday"), 400, "time"),
        (structured(time=5), 400, "time"),
        (structured(time="1767268800"), 400, "time"),
        (structured(time="2026-01-01T12:00:00"), 400, "time"),
        (structured(time="2026-01-01"), 400, "time"),
        (structured(time="2026-13-01T12:00:00Z"), 400, "time"),
        (structured(time="0001-01-01T00:00:00+14:00"), 400, "time"),
        (structured(time="9999-12-31T23:59:59-14:00"), 400, "time"),
        (structured(time="2026-01-01T12:00:00+99:99"), 400, "time"),
        (structured(time="\u0662026-01-01T12:00:00Z"), 400, "time"),
    ],
    ids=str,
)
def test_what_is_no_event_of_ours_is_refused_with_the_attribute_at_fault(made, status, field):
    recorder = Recorder()
    answered, body = recorder.refusal(made)
    assert (answered, body.get("field")) == (status, field)
    assert body["reason"] == "InvalidEvent"
    assert not recorder.events


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents-batch+json",
        "Application/CloudEvents-Batch+JSON; charset=utf-8",
        "application/cloudevents+avro",
        "application/cloudevents",
    ],
)
def test_a_format_that_is_not_taken_is_refused_as_by_lambdas(content_type):
    recorder = Recorder()
    status, body = recorder.refusal(request({"content-type": content_type}, b"[]"))
    assert (status, body["reason"]) == (415, "UnsupportedEventFormat")
    assert body["field"] == "Content-Type"
    assert "application/cloudevents+json" in body["message"]
    assert not recorder.events


def test_a_refusal_does_not_quote_the_body():
    status, body = Recorder().refusal(request(STRUCTURED, b'{"password": "hunter2"'))
    assert status == 400
    assert "hunter2" not in str(body)


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_body_is_unpacked_or_refused_with_a_reason(name):
    encoding, body, refused = PACKED[name]
    made = request({**BINARY, "content-encoding": encoding}, body)
    if refused is None:
        assert received(made).data == {}
    else:
        status, answer = Recorder().refusal(made)
        assert (status, answer["field"]) == (refused, "Content-Encoding")


@pytest.mark.parametrize(
    "data",
    [bomb(MAX_BODY_BYTES), gzip.compress(b" " * MAX_BODY_BYTES) + gzip.compress(b"{}")],
    ids=["in one member", "in two members"],
)
def test_a_packed_body_is_never_unpacked_beyond_the_limit(data):
    status, _ = Recorder().refusal(request({**BINARY, "content-encoding": "gzip"}, data))
    assert status == 413


LARGE = b"x" * (MAX_BODY_BYTES + 1)


@pytest.mark.parametrize(
    "made",
    [
        request(body=LARGE),
        chunked(LARGE),
        request(BINARY, b"{}", CONTENT_LENGTH="99999999999"),
        request(STRUCTURED, LARGE),
    ],
    ids=["honest length", "chunked", "a length that claims more", "structured"],
)
def test_a_body_over_the_limit_is_too_large_whatever_its_length_says(made):
    status, body = Recorder().refusal(made)
    assert (status, body["reason"], body["field"]) == (413, "EventTooLarge", "data")


def test_a_body_of_exactly_the_limit_is_taken():
    body = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert len(received(request(body=body)).data) == MAX_BODY_BYTES - 2
    assert len(received(chunked(body)).data) == MAX_BODY_BYTES - 2


def test_a_body_that_ends_early_is_refused():
    status, body = Recorder().refusal(request(body=b"{}", CONTENT_LENGTH="3"))
    assert (status, body["reason"]) == (400, "InvalidEvent")


@pytest.mark.parametrize("data", [[], "text", 5, True, [{}]])
def test_data_that_is_no_object_is_refused(data):
    with pytest.raises(InvalidEventError) as refused:
        read_data(received(structured(data=data)), Delete)
    assert refused.value.field == "data"


def test_json_in_base64_is_the_same_data():
    assert read_data(received(structured(data_base64="e30=")), Delete) == Delete()


def test_bytes_in_base64_are_no_object():
    event = received(structured(data_base64="/////w==", datacontenttype="image/png"))
    with pytest.raises(InvalidEventError):
        read_data(event, Delete)


def test_no_data_is_an_empty_object():
    assert read_data(received(structured()), Delete) == Delete()


def test_all_that_is_wrong_with_data_is_counted_and_the_first_is_named():
    event = received(structured(data={"runtime": "?", "handler": "?", "source": {}}))
    with pytest.raises(InvalidEventError, match=r"\(and 2 more\)") as refused:
        read_data(event, BuildStart)
    assert refused.value.field == "source"


@pytest.mark.parametrize("subject", [None, "hello", "a/B", "a/b/c"])
def test_a_subject_that_names_no_lambda_is_refused(subject):
    with pytest.raises(InvalidEventError) as refused:
        read_function(received(structured(subject=subject)))
    assert refused.value.field == "subject"


def test_a_subject_names_the_lambda():
    assert str(read_function(received(structured(subject="default/hello")))) == "default/hello"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
header_values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))
header_names = st.sampled_from(
    [*BINARY, "ce-time", "ce-subject", "ce-correlationid", "ce-x", "ce-", "content-encoding"]
)


@given(st.dictionaries(header_names, header_values), st.binary(max_size=200))
def test_any_headers_and_bytes_are_an_event_or_a_client_error(headers, body):
    assert Recorder().send(request(headers, body))[0] in {204, 400, 415}


@given(st.dictionaries(st.sampled_from([*BINARY, "data", "time", "subject", "x"]), json_values))
def test_any_structured_event_is_an_event_or_a_client_error(event):
    body = json.dumps({name.removeprefix("ce-"): value for name, value in event.items()})
    assert Recorder().send(request(STRUCTURED, body.encode()))[0] in {204, 400}


@given(json_values)
def test_any_data_is_a_request_or_a_client_error(data):
    event = received(structured(data=data))
    try:
        read_data(event, BuildStart)
    except InvalidEventError as error:
        recorder = Recorder(error)
        assert recorder.refusal(structured())[0] == 400
