import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.events import CleanupDone, Reply
from knative_lambda.inbound.json_logging import configure_logging
from tests.unit.inbound.helpers.requests import BINARY, Recorder, request, started, structured

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def reply_to(made, reply=None):
    status, headers, body = Recorder(reply or started()).send(made)
    assert status == 200
    return {name.lower(): value for name, value in headers.items()}, json.loads(body)


def test_a_reply_is_one_binary_event():
    headers, data = reply_to(request())
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == "started"
    assert headers["ce-source"] == "/knative-lambda/test"
    assert headers["ce-subject"] == "default/hello"
    assert headers["ce-dataschema"] == "https://knative-lambda.dev/schemas/started.json"
    assert headers["content-type"] == "application/json"
    assert data == {"buildId": "0" * 64, "job": "j"}


def test_a_reply_about_no_lambda_has_no_subject():
    reply = Reply(type="done", function=None, data=CleanupDone(dry_run=False))
    assert "ce-subject" not in reply_to(request(), reply)[0]


def test_a_redelivery_gets_the_reply_with_the_same_id():
    assert reply_to(request())[0]["ce-id"] == reply_to(structured())[0]["ce-id"]


@pytest.mark.parametrize("other", [{"ce-id": "2"}, {"ce-source": "/other"}])
def test_another_event_gets_a_reply_with_another_id(other):
    assert reply_to(request())[0]["ce-id"] != reply_to(request(BINARY | other))[0]["ce-id"]


def test_what_links_a_chain_of_events_is_carried_on():
    headers = BINARY | {
        "ce-correlationid": "c-1",
        "ce-traceparent": TRACE,
        "ce-tracestate": "a=b",
        "ce-other": "x",
    }
    reply, _ = reply_to(request(headers))
    assert (reply["ce-correlationid"], reply["ce-traceparent"], reply["ce-tracestate"]) == (
        "c-1",
        TRACE,
        "a=b",
    )
    assert "ce-other" not in reply


def test_a_chain_gets_a_correlation_id_that_a_redelivery_repeats():
    first, second = reply_to(request())[0], reply_to(request())[0]
    assert first["ce-correlationid"] == second["ce-correlationid"] != ""
    assert "ce-traceparent" not in first


@given(st.text(st.characters(), max_size=300))
def test_no_extension_can_inject_a_header(value):
    status, reply, _ = Recorder(started()).send(structured(correlationid=value, traceparent=value))
    assert status in {200, 400}
    for name, sent in reply.items():
        assert name.isascii()
        assert sent.isascii()
        assert sent.isprintable()


@pytest.fixture
def log(monkeypatch):
    lines = io.StringIO()
    monkeypatch.setattr("sys.stderr", lines)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO")
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_log_line_is_json_with_what_operators_search_by(log):
    Recorder(started()).send(structured(subject="default/hello", correlationid="c\u2028\u00e9"))
    (line,) = log.getvalue().splitlines()
    written = json.loads(line)
    assert written["level"] == "INFO"
    assert (written["event_id"], written["event_type"]) == ("1", "t")
    assert (written["subject"], written["correlationid"]) == ("default/hello", "c\u2028\u00e9")
    assert "reply" in written
