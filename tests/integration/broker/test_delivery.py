"""What subscribers get, and what their answers lead to."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO

import pytest
from aiohttp import web

from tests.integration.broker.helpers.running_broker import (
    QUICK,
    WITH_SINK,
    broker_object,
    reply,
    trigger_object,
)


async def test_an_event_reaches_every_trigger_that_wants_it_and_no_other(platform, subscribe):
    wanted, unwanted = await subscribe(), await subscribe()
    platform.apply(
        broker_object(delivery=QUICK),
        trigger_object("a", wanted.url, filter={"attributes": {"type": "greeting"}}),
        trigger_object("b", wanted.url),
        trigger_object("c", unwanted.url, filter={"attributes": {"type": "other"}}),
    )

    status, _ = await platform.send("7", data=b'{"name":"x"}', correlationid="c1")
    (entry,) = await platform.settled(correlation="c1")

    assert status == 202
    assert [(item["name"], item["state"]) for item in entry["triggers"]] == [
        ("a", "delivered"),
        ("b", "delivered"),
    ]
    assert not unwanted.requests
    headers, body = wanted.requests[0]
    assert body == b'{"name":"x"}'
    assert headers["ce-id"] == "7"
    assert headers["ce-correlationid"] == "c1"
    assert headers["content-type"] == "application/json"
    assert headers["prefer"] == "reply"
    assert "ce-knativebrokerttl" not in headers


async def test_a_reply_enters_the_same_broker_and_reaches_its_own_triggers(platform, subscribe):
    function = await subscribe(lambda headers, _: reply(f"{headers['ce-id']}-reply"))
    listener = await subscribe()
    platform.apply(
        broker_object(delivery=QUICK),
        trigger_object("function", function.url, filter={"attributes": {"type": "greeting"}}),
        trigger_object("listener", listener.url, filter={"attributes": {"type": "answered"}}),
    )

    await platform.send("1")
    await listener.wait_for(1)
    answered, asked = await platform.settled()

    assert listener.ids == ["1-reply"]
    assert asked["triggers"][0]["replyId"] == answered["attributes"]["id"] == "1-reply"


async def test_a_structured_reply_is_a_reply(platform, subscribe):
    event = {"specversion": "1.0", "id": "r", "source": "/f", "type": "answered", "data": [1]}
    function = await subscribe(
        lambda *_: web.Response(
            body=json.dumps(event), content_type="application/cloudevents+json", status=200
        )
    )
    listener = await subscribe()
    platform.apply(
        broker_object(delivery=QUICK),
        trigger_object("function", function.url, filter={"attributes": {"type": "greeting"}}),
        trigger_object("listener", listener.url, filter={"attributes": {"type": "answered"}}),
    )

    await platform.send()
    await listener.wait_for(1)

    assert listener.requests[0][1] == b"[1]"


@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 502, 503])
async def test_passing_trouble_is_tried_again(platform, subscribe, status):
    answers = iter([status, status, 204])
    function = await subscribe(lambda *_: web.Response(status=next(answers)))
    platform.apply(broker_object(delivery=QUICK), trigger_object("t", function.url))

    await platform.send()
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "delivered"
    assert entry["triggers"][0]["attempts"] == 3


async def test_a_body_that_is_no_event_is_a_failure(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(text="OK"))
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", function.url))

    await platform.send()
    (entry,) = await platform.settled()

    assert len(function.requests) == 1 + QUICK["retry"]
    assert entry["triggers"][0]["status"] == 502
    assert platform.broker.dead_letters()[0]["event"]["knativeerrorcode"] == "502"


async def test_a_reply_that_is_no_valid_event_is_a_failure(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(headers={"ce-specversion": "1.0"}))
    platform.apply(
        broker_object(delivery={**WITH_SINK, "retry": 0}), trigger_object("t", function.url)
    )

    await platform.send()
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "dead"


async def test_no_listener_is_retried_until_there_is_one(platform, subscribe, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", url))

    await platform.send()
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["attempts"] == 1 + QUICK["retry"]
    assert platform.broker.dead_letters()[0]["event"]["knativeerrorcode"] == "500"


async def test_an_answer_that_takes_too_long_is_a_failure(platform, subscribe):
    never = asyncio.Event()

    async def hang():
        await never.wait()
        return web.Response()

    function = await subscribe(lambda *_: hang())
    delivery = {**WITH_SINK, "retry": 1, "timeout": "PT0.05S"}
    platform.apply(broker_object(delivery=delivery), trigger_object("t", function.url))

    await platform.send()
    (entry,) = await platform.settled()
    never.set()

    assert entry["triggers"][0]["state"] == "dead"
    assert "no response within 0.05 s" in entry["triggers"][0]["error"]


async def test_retry_after_is_honoured_within_its_limit(platform, subscribe):
    times = []

    def answer(*_):
        times.append(asyncio.get_running_loop().time())
        return web.Response(status=429, headers={"Retry-After": "3600"})

    function = await subscribe(answer)
    delivery = {**WITH_SINK, "retry": 1, "retryAfterMax": "PT0.2S"}
    platform.apply(broker_object(delivery=delivery), trigger_object("t", function.url))

    await platform.send()
    await platform.settled()

    assert 0.15 < times[1] - times[0] < 5


async def test_a_slow_subscriber_delays_no_other(platform, subscribe):
    release = asyncio.Event()

    async def hold():
        await release.wait()
        return web.Response(status=204)

    slow, quick = await subscribe(lambda *_: hold()), await subscribe()
    platform.apply(
        broker_object(delivery=QUICK),
        trigger_object("slow", slow.url),
        trigger_object("quick", quick.url),
    )

    for number in range(40):
        await platform.send(str(number))
    await quick.wait_for(40)
    under_way = len(slow.requests)
    release.set()
    await platform.settled()

    assert under_way == platform.settings.concurrency_per_trigger
    assert sorted(slow.ids) == sorted(quick.ids)


async def test_an_event_that_nobody_wants_is_accepted_and_recorded(platform):
    platform.apply(broker_object())

    status, _ = await platform.send()
    (entry,) = await platform.settled()

    assert status == 202
    assert entry["triggers"] == []


async def test_a_reply_loop_ends(platform, subscribe):
    function = await subscribe(lambda *_: reply("again", "greeting"))
    platform.apply(broker_object(delivery=QUICK), trigger_object("loop", function.url))

    status, _ = await platform.send(knativebrokerttl="6")
    await function.wait_for(5)
    entries = await platform.settled()

    assert status == 202
    assert len(function.requests) == 5
    assert "knativebrokerttl" in entries[0]["dropped"]
    assert not any("knativebrokerttl" in entry["attributes"] for entry in entries)


async def test_an_event_whose_ttl_is_used_up_is_refused_and_recorded(platform):
    platform.apply(broker_object())

    status, _ = await platform.send(knativebrokerttl="1")

    assert status == 400
    assert "dropped" in platform.broker.journal()[0]


async def test_events_wait_for_a_subscriber_without_an_address(platform, subscribe):
    function = await subscribe()
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"namespace": "team", "name": "f"},
    }
    reference = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "f"}
    platform.apply(
        broker_object(delivery={"retry": 0}),
        trigger_object("t", {"ref": reference, "uri": "/below"}),
    )

    await platform.send()
    platform.apply(service)
    platform.objects.update_status("Service", "team", "f", {"address": {"url": function.url}})
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "delivered"
    assert entry["triggers"][0]["attempts"] == 1


async def test_a_trigger_made_before_an_event_always_gets_it(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(delivery=QUICK))

    for number in range(20):
        platform.apply(
            trigger_object(
                f"t{number}", function.url, filter={"attributes": {"subject": str(number)}}
            )
        )
        await platform.send(str(number), subject=str(number))
    await platform.settled()

    assert sorted(function.ids, key=int) == [str(number) for number in range(20)]


async def test_an_answer_over_the_limit_is_a_failure(platform, subscribe):
    size = platform.settings.body_limit_bytes + 1
    function = await subscribe(
        lambda *_: web.Response(headers=reply("1").headers, body=BytesIO(b"x" * size))
    )
    platform.apply(
        broker_object(delivery={**WITH_SINK, "retry": 0}),
        trigger_object("t", function.url, filter={"attributes": {"type": "greeting"}}),
    )

    await platform.send()
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "dead"
    assert "larger than" in entry["triggers"][0]["error"]
