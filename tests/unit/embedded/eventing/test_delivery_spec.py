"""When an event is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lambda_embedded.eventing.delivery_spec import (
    InvalidDeliverySpecError,
    parse_delivery_spec,
    parse_duration,
    parse_retry_after,
)


def waits(spec, count, retry_after=None):
    parsed = parse_delivery_spec(spec)
    found = (parsed.wait(attempts, retry_after) for attempts in range(1, count + 1))
    return [wait if wait is None else wait.total_seconds() for wait in found]


def test_exponential_waits_double():
    spec = {"retry": 4, "backoffPolicy": "exponential", "backoffDelay": "PT0.5S"}

    assert waits(spec, 5) == [0.5, 1, 2, 4, None]


def test_linear_waits_grow_by_the_delay():
    spec = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT2S"}

    assert waits(spec, 4) == [0, 2, 4, None]


def test_a_broker_without_a_spec_gets_the_one_that_knative_ships():
    assert waits(None, 11) == [0.2 * 2**n for n in range(10)] + [None]


def test_an_empty_spec_retries_nothing():
    assert waits({}, 1) == [None]


def test_a_wait_has_an_end_however_often_it_doubles():
    spec = {"retry": 5000, "backoffPolicy": "exponential", "backoffDelay": "P10000D"}

    assert parse_delivery_spec(spec).wait(5000, None) == timedelta(days=1)


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, 60), ("PT10S", 10), ("PT0S", 1), ("PT90S", 60)]
)
def test_the_longer_of_backoff_and_retry_after_counts_within_its_limit(limit, expected):
    spec = {"retry": 1, "backoffPolicy": "exponential", "backoffDelay": "PT1S"}

    assert waits({**spec, "retryAfterMax": limit}, 1, timedelta(minutes=1)) == [expected]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retry", -1),
        ("retry", True),
        ("retry", "3"),
        ("backoffPolicy", "random"),
        ("backoffDelay", "5s"),
        ("backoffDelay", 5),
        ("timeout", "PT"),
        ("retryAfterMax", "P"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(field, value):
    with pytest.raises(InvalidDeliverySpecError, match=f"delivery.{field}"):
        parse_delivery_spec({field: value})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0.2S", 0.2),
        ("PT1M30S", 90),
        ("P1DT1H", 90000),
        ("P2W", 1209600),
        ("PT0,5S", 0.5),
        ("1S", None),
        ("PT", None),
        ("P", None),
        ("", None),
        ("P99999999999D", None),
    ],
)
def test_durations_are_iso_8601(text, seconds):
    duration = parse_duration(text)

    assert (None if duration is None else duration.total_seconds()) == seconds


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("9" * 5000, None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    wait = parse_retry_after(text, NOW)

    assert (None if wait is None else wait.total_seconds()) == seconds
