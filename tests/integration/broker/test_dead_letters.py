"""Where events go that no subscriber takes."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from aiohttp import web

from tests.integration.broker.helpers.running_broker import (
    QUICK,
    WITH_SINK,
    broker_object,
    reply,
    trigger_object,
)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 422])
async def test_a_refusal_goes_to_the_dead_letters_at_once(platform, subscribe, status):
    body = b"x" * 2000
    function = await subscribe(lambda *_: web.Response(status=status, body=body))
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", function.url))

    await platform.send("9", data=b'{"a":1}')
    (entry,) = await platform.settled()
    (letter,) = platform.broker.dead_letters()

    assert len(function.requests) == 1
    assert entry["triggers"][0]["state"] == "dead"
    assert entry["triggers"][0]["status"] == status
    event = letter["event"]
    assert event["id"] == "9"
    assert event["data"] == {"a": 1}
    assert event["knativeerrordest"] == function.url
    assert event["knativeerrorcode"] == str(status)
    assert len(event["knativeerrordata"]) == 1024
    assert base64.b64decode(event["knativeerrordata"]) == body[:768]


async def test_retries_that_are_used_up_end_in_the_dead_letters(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(status=500, text="no"))
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", function.url))

    await platform.send()
    await platform.settled()
    (letter,) = platform.broker.dead_letters()

    assert len(function.requests) == letter["attempts"] == 1 + QUICK["retry"]
    assert letter["status"] == 500


async def test_an_event_without_dead_letter_sink_is_recorded_as_lost(platform, subscribe, caplog):
    function = await subscribe(lambda *_: web.Response(status=400))
    platform.apply(broker_object(delivery=QUICK), trigger_object("t", function.url))

    await platform.send("lost-one")
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "lost"
    assert platform.broker.dead_letters() == []
    assert "lost-one" in caplog.text


async def test_a_dead_letter_sink_with_a_uri_gets_the_event_too(platform, subscribe):
    answers = iter([503, 200])
    function = await subscribe(lambda *_: web.Response(status=422, text="never"))
    sink = await subscribe(lambda *_: web.Response(status=next(answers), text="taken"))
    delivery = {**QUICK, "deadLetterSink": {"uri": f"{sink.url}?token=secret"}}
    platform.apply(broker_object(), trigger_object("t", function.url, delivery=delivery))

    await platform.send("5")
    (entry,) = await platform.settled()

    assert sink.ids == ["5", "5"]
    assert sink.requests[0][0]["ce-knativeerrorcode"] == "422"
    assert entry["deadLetterSinks"][0]["state"] == "delivered"
    assert "secret" not in json.dumps(entry)
    assert len(platform.broker.dead_letters()) == 1


async def test_deleting_a_trigger_drops_what_is_pending_for_it(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(status=503))
    delivery = {"retry": 5, "backoffPolicy": "exponential", "backoffDelay": "PT1H"}
    platform.apply(broker_object(delivery=delivery), trigger_object("t", function.url))

    await platform.send()
    await function.wait_for(1)
    platform.objects.delete("Trigger", "team", "t")
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "dropped"
    assert entry["triggers"][0]["error"] == "the Trigger was deleted"


async def test_a_trigger_deleted_during_a_delivery_still_counts_its_success(platform, subscribe):
    release = asyncio.Event()

    async def hold(headers):
        await release.wait()
        return reply("late") if headers["ce-id"] == "good" else web.Response(status=503)

    function = await subscribe(lambda headers, _: hold(headers))
    wanted = {"attributes": {"type": "greeting"}}
    platform.apply(broker_object(delivery=QUICK), trigger_object("t", function.url, filter=wanted))

    await platform.send("good")
    await platform.send("bad")
    await function.wait_for(2)
    platform.objects.delete("Trigger", "team", "t")
    release.set()
    entries = await platform.settled()

    states = {
        entry["attributes"]["id"]: [item["state"] for item in entry["triggers"]]
        for entry in entries
    }
    assert states == {"good": ["delivered"], "bad": ["dropped"], "late": []}


async def test_a_sink_that_never_takes_a_dead_letter_is_given_up_and_it_is_kept(
    platform, subscribe, caplog
):
    function = await subscribe(lambda *_: web.Response(status=400))
    sink = await subscribe(lambda *_: web.Response(status=500))
    delivery = {**QUICK, "deadLetterSink": {"uri": f"{sink.url}?token=secret"}}
    platform.apply(broker_object(delivery=delivery), trigger_object("t", function.url))

    await platform.send()
    (entry,) = await platform.settled()

    assert len(sink.requests) == 1 + QUICK["retry"]
    assert entry["deadLetterSinks"][0]["state"] == "lost"
    assert len(platform.broker.dead_letters()) == 1
    assert "was not accepted by its sink" in caplog.text
    assert "secret" not in caplog.text
