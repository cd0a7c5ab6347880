from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.dead_letter import DeadLetter, destination_namespace

NOW = datetime(2026, 1, 31, 14, tzinfo=UTC)
EVENT = {"id": "1", "source": "/s", "type": "t"}


def letter(**changes):
    fields = {
        **EVENT,
        "headers": {"ce-id": "1"},
        "body": b"{}",
        "is_cut": False,
        "destination": "http://hello.shop.svc.cluster.local",
        "status": "422",
        "error": "no",
    }
    return DeadLetter(**(fields | changes))


@pytest.mark.parametrize(
    ("destination", "namespace"),
    [
        ("http://hello.shop.svc.cluster.local", "shop"),
        ("http://hello.shop.svc:8080/path", "shop"),
        ("http://broker-filter.knative-eventing.svc.cluster.local/triggers/shop/t/u", "shop"),
        ("http://broker-ingress.knative-eventing.svc.cluster.local/shop/default", "shop"),
        ("http://broker-ingress.knative-eventing.svc.cluster.local", "unknown"),
        ("http://broker-filter.knative-eventing.svc.cluster.local/triggers", "unknown"),
        ("http://broker-filter.knative-eventing.svc/triggers/..%2F../t", "unknown"),
        ("https://example.com/hook", "unknown"),
        ("http://[broken", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_letter_belongs_to_the_namespace_that_it_was_for(destination, namespace):
    assert destination_namespace(destination) == namespace


@given(st.text())
def test_no_destination_leads_out_of_the_folder(destination):
    parts = letter(destination=destination).key.split("/")
    assert parts[0] == "dead-letters"
    assert len(parts) == 3
    assert {".", "..", ""}.isdisjoint(parts)


def test_the_same_letter_has_the_same_key():
    assert letter().key == letter(body=b"other", error="other", status="500").key


@pytest.mark.parametrize(
    "change",
    [{"id": "2"}, {"source": "/x"}, {"type": "u"}, {"destination": "http://b.shop.svc"}],
)
def test_another_letter_has_another_key(change):
    assert letter(**change).key != letter().key


def test_text_stays_text():
    document = json.loads(letter(body='{"ä": 1}'.encode()).to_json(NOW))
    assert document == {
        **EVENT,
        "receivedAt": "2026-01-31T14:00:00+00:00",
        "namespace": "shop",
        "destination": "http://hello.shop.svc.cluster.local",
        "status": "422",
        "error": "no",
        "headers": {"ce-id": "1"},
        "body": '{"ä": 1}',
    }


def test_bytes_that_are_no_text_are_kept_as_base64():
    document = json.loads(letter(body=b"\xff\x00", is_cut=True).to_json(NOW))
    assert base64.b64decode(document["bodyBase64"]) == b"\xff\x00"
    assert document["bodyIsCut"] is True
    assert "body" not in document
