import json
import logging
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.adapters.kubernetes import errors as _kubernetes  # noqa: F401  # its errors
from knative_lambda.domain import errors
from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    KnativeLambdaError,
    PermanentError,
    RetryableError,
    ThrottledError,
    UnsupportedEventFormatError,
)
from knative_lambda.inbound.endpoint import STATUS_BY_ERROR
from tests.unit.inbound.helpers.errors import instance, subclasses
from tests.unit.inbound.helpers.requests import Recorder, request

RETRIED_BY_THE_BROKER = {404, 408, 409, 429, *range(500, 600)}


@pytest.mark.parametrize("cls", sorted(set(subclasses(KnativeLambdaError)), key=str))
def test_every_error_of_ours_has_the_status_of_what_it_means(cls):
    status, body = Recorder(instance(cls)).refusal(request())
    expected = next(
        status
        for parent, status in (
            (EventTooLargeError, 413),
            (UnsupportedEventFormatError, 415),
            (InvalidEventError, 400),
            (PermanentError, 422),
            (ThrottledError, 429),
            (RetryableError, 503),
        )
        if issubclass(cls, parent)
    )
    assert status == expected
    assert body["reason"] == cls.__name__.removesuffix("Error")
    assert (status in RETRIED_BY_THE_BROKER) == issubclass(cls, RetryableError)


def test_an_error_names_its_field_and_its_way_out():
    _, body = Recorder(InvalidEventError("must be a name", field="subject")).refusal(request())
    assert body == {"reason": "InvalidEvent", "message": "must be a name", "field": "subject"}


@pytest.mark.parametrize(
    ("wait", "header"),
    [(timedelta(seconds=7), "7"), (timedelta(0), "1"), (timedelta(seconds=1.6), "2")],
)
def test_who_asks_to_slow_down_says_for_how_long(wait, header):
    _, headers, _ = Recorder(ThrottledError("slow", retry_after=wait)).send(request())
    assert headers["Retry-After"] == header


def test_a_bug_is_a_500_that_tells_nothing_and_logs_all(caplog):
    with caplog.at_level(logging.ERROR):
        status, body = Recorder(RuntimeError("hunter2")).refusal(request())
    assert (status, body["reason"]) == (500, "InternalError")
    assert "hunter2" not in str(body)
    assert "hunter2" in caplog.text


def test_a_reply_that_cannot_be_encoded_is_a_bug_with_an_answer():
    assert Recorder("no reply at all").refusal(request())[0] == 500


@given(
    st.text(st.characters(), max_size=3000),
    st.none() | st.text(st.characters(), max_size=300),
)
def test_a_body_of_an_error_fits_the_brokers_buffer(message, field):
    status, body = Recorder(PermanentError(message, field=field)).refusal(request())
    assert status == 422
    assert body["reason"] == "Permanent"
    assert message.startswith(body["message"])


def test_a_message_of_wide_characters_is_cut_between_characters():
    _, _, body = Recorder(PermanentError("\N{GRINNING FACE}" * 1000)).send(request())
    assert 480 < len(body) <= 512
    assert set(json.loads(body)["message"]) == {"\N{GRINNING FACE}"}


@pytest.mark.timeout(10)
def test_a_long_field_does_not_crowd_out_the_answer():
    error = InvalidEventError("wrong", field="\N{GRINNING FACE}" * 100)
    status, body = Recorder(error).refusal(request())
    assert (status, body["reason"]) == (400, "InvalidEvent")


def test_the_table_of_statuses_never_uses_what_the_broker_would_retry_by_mistake():
    assert not {404, 408, 409} & {int(status) for status in STATUS_BY_ERROR.values()}
    assert errors.RetryableError in STATUS_BY_ERROR
