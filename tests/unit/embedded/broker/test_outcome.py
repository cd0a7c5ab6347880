"""What answers of subscribers mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_embedded.broker.deliver.outcome import (
    Delivered,
    Failed,
    Response,
    classify,
    classify_sink,
)

EVENT = (("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"))


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_an_empty_answer_is_a_delivery(status):
    assert classify(Response(status)) == Delivered(status)


def test_an_event_without_data_is_a_reply():
    outcome = classify(Response(200, EVENT))

    assert isinstance(outcome, Delivered)
    assert outcome.reply.attributes["type"] == "t"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(200, (), b"OK"), "not a CloudEvent"),
        (Response(200, EVENT[:2]), "source"),
        (Response(200, (("content-type", "application/cloudevents+json"),), b"{"), "JSON"),
        (Response(200, (("content-type", "application/cloudevents-batch+json"),), b"[]"), "batch"),
    ],
)
def test_a_reply_that_is_no_event_is_a_bad_gateway(response, error):
    outcome = classify(response)

    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.retryable) == (502, True)
    assert error in outcome.error


@pytest.mark.parametrize("status", range(300, 600))
def test_the_status_decides_about_another_attempt(status):
    outcome = classify(Response(status, EVENT, b"why"))

    assert isinstance(outcome, Failed)
    assert outcome.retryable is (status >= 500 or status in {404, 408, 409, 429})
    assert outcome.body == b"why"


@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (503, 7), (500, None), (404, None)])
def test_retry_after_counts_where_it_is_defined(status, seconds):
    outcome = classify(Response(status, (("Retry-After", "7"),)))

    waited = outcome.retry_after
    assert (waited.total_seconds() if waited else None) == seconds


def test_a_dead_letter_sink_may_answer_anything():
    assert classify_sink(Response(200, (), b"stored")) == Delivered(200)


@given(st.integers(100, 599), st.binary(max_size=20), st.text(max_size=20))
def test_every_answer_has_a_meaning(status, body, content_type):
    outcome = classify(Response(status, (("content-type", content_type),), body))

    assert isinstance(outcome, Delivered | Failed)


@pytest.mark.parametrize("status", [201, 202, 204, 206, 299])
@pytest.mark.parametrize("body", [b"", b"accepted"])
@pytest.mark.parametrize("headers", [(), EVENT])
def test_an_answer_other_than_200_brings_nothing(status, body, headers):
    assert classify(Response(status, headers, body)) == Delivered(status)
