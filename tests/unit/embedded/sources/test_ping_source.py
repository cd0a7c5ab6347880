"""When a PingSource sends, and what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lambda_embedded.sources.ping_source import (
    InvalidPingSourceError,
    next_tick,
    ping_event,
)
from tests.unit.embedded.sources.helpers.source_objects import add_broker, source_object

NOON = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "timezone", "expected"),
    [
        ("* * * * *", "UTC", "2026-03-28T12:01:00+00:00"),
        ("*/15 * * * *", "UTC", "2026-03-28T12:15:00+00:00"),
        ("@hourly", "UTC", "2026-03-28T13:00:00+00:00"),
        ("0 3 * * *", "America/New_York", "2026-03-29T07:00:00+00:00"),
        ("45 * * * * *", "UTC", "2026-03-28T12:00:45+00:00"),
        ("0 12 * * MON", "UTC", "2026-03-30T12:00:00+00:00"),
    ],
)
def test_ticks_follow_the_schedule_in_its_timezone(schedule, timezone, expected):
    assert next_tick(schedule, timezone, after=NOON).astimezone(UTC).isoformat() == expected


@pytest.mark.parametrize("schedule", ["", "x", "* * * *", "61 * * * *", "@every 5s"])
def test_a_schedule_that_is_no_cron_syntax_is_named(schedule):
    with pytest.raises(InvalidPingSourceError, match=r"spec\.schedule"):
        next_tick(schedule, "UTC", after=NOON)


@pytest.mark.parametrize("timezone", ["Mars/Base", "../../etc/passwd", "\0"])
def test_a_timezone_that_is_not_known_is_named(timezone):
    with pytest.raises(InvalidPingSourceError, match=r"spec\.timezone"):
        next_tick("* * * * *", timezone, after=NOON)


def test_a_ping_reads_as_on_knative():
    event = ping_event(
        source_object("PingSource", "nightly", contentType="application/json", data='{"a": 1}')
    )

    assert event.attributes["type"] == "dev.knative.sources.ping"
    assert event.attributes["source"] == "/apis/v1/namespaces/team/pingsources/nightly"
    assert event.attributes["datacontenttype"] == "application/json"
    assert event.data == b'{"a": 1}'


def test_binary_data_is_decoded():
    item = source_object("PingSource", contentType="image/png", dataBase64="AAE=")

    assert ping_event(item).data == b"\x00\x01"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"dataBase64": "?"}, "dataBase64"),
        ({"data": "{", "contentType": "application/json"}, "data"),
        ({"ceOverrides": {"extensions": {"No-Name": "x"}}}, "ceOverrides"),
    ],
)
def test_what_cannot_be_sent_is_named(spec, field):
    with pytest.raises(InvalidPingSourceError, match=rf"spec\.{field}"):
        ping_event(source_object("PingSource", **spec))


async def test_a_ping_source_sends_at_its_tick(sources, objects, accepted):
    add_broker(objects)
    objects.create("PingSource", source_object("PingSource", schedule="* * * * * *"))
    await sources.start()

    (event,) = await accepted.first(1)

    assert event["type"] == "dev.knative.sources.ping"


async def test_a_ping_source_with_a_wrong_schedule_says_so(sources, objects):
    add_broker(objects)
    objects.create("PingSource", source_object("PingSource", schedule="often"))
    await sources.start()

    conditions = objects.get("PingSource", "team", "source")["status"]["conditions"]

    assert any("spec.schedule" in item.get("message", "") for item in conditions)
