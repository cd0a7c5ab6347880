"""What goes along with an event over HTTP: traces, request ids, the namespace."""

from __future__ import annotations

import pytest
from aiohttp import web

from tests.integration.broker.helpers.running_broker import (
    QUICK,
    Platform,
    broker_object,
    reply,
    trigger_object,
)

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER_TRACE = "00-11111111111111111111111111111111-2222222222222222-01"
EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/tests",
    "ce-type": "greeting",
}


def asks(name, function, type_="greeting", **spec):
    return trigger_object(name, function.url, filter={"attributes": {"type": type_}}, **spec)


@pytest.mark.parametrize(
    "name",
    [
        "traceparent",
        "tracestate",
        "x-request-id",
        "X-Request-Id",
        "x-b3-traceid",
        "x-b3-sampled",
        "knative-history",
        "kn-extra",
        "k-eventing-flag",
    ],
)
async def test_a_header_of_tracing_or_of_knative_goes_on(platform, subscribe, name):
    function = await subscribe()
    platform.apply(broker_object(), asks("t", function))

    await platform.post({**EVENT, name: "a=1"})
    await platform.settled()

    assert function.requests[0][0].getall(name) == ["a=1"]


@pytest.mark.parametrize(
    "name", ["cookie", "x-forwarded-for", "x-other", "content-encoding", "prefer"]
)
async def test_any_other_header_does_not(platform, subscribe, name):
    function = await subscribe()
    platform.apply(broker_object(), asks("t", function))

    await platform.post({**EVENT, name: "identity"})
    await platform.settled()

    assert "identity" not in function.requests[0][0].getall(name, [])


async def test_a_delivery_says_the_namespace_of_its_trigger(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(), asks("t", function))

    await platform.post({**EVENT, "kn-namespace": "of-the-sender"})
    await platform.settled()

    assert function.requests[0][0].getall("Kn-Namespace") == ["team"]


async def test_a_dead_letter_says_it_too_and_keeps_its_trace(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(status=400))
    sink = await subscribe()
    delivery = {"deadLetterSink": {"uri": sink.url}}
    platform.apply(broker_object(delivery=delivery), asks("t", function))

    await platform.post({**EVENT, "traceparent": TRACE})
    await sink.wait_for(1)

    headers = sink.requests[0][0]
    assert (headers["kn-namespace"], headers["traceparent"]) == ("team", TRACE)


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, (TRACE, "a=1,b=2")), ({"traceparent": OTHER_TRACE}, (OTHER_TRACE, None))],
    ids=["of the event", "its own"],
)
async def test_a_reply_goes_on_in_a_trace(platform, subscribe, own, expected):
    def answer(*_):
        answered = reply("r")
        answered.headers.update(own)
        return answered

    function, next_one = await subscribe(answer), await subscribe()
    platform.apply(broker_object(), asks("t", function), asks("u", next_one, "answered"))

    await platform.post({**EVENT, "traceparent": TRACE, "tracestate": "a=1,b=2"})
    await next_one.wait_for(1)

    headers = next_one.requests[0][0]
    assert (headers["traceparent"], headers.get("tracestate")) == expected
    assert "ce-traceparent" not in headers


@pytest.mark.parametrize(
    ("own", "expected"), [({}, TRACE), ({"ce-traceparent": OTHER_TRACE}, OTHER_TRACE)]
)
async def test_a_reply_goes_on_in_the_trace_of_the_events_attributes(
    platform, subscribe, own, expected
):
    def answer(*_):
        answered = reply("r")
        answered.headers.update(own)
        return answered

    function, next_one = await subscribe(answer), await subscribe()
    platform.apply(broker_object(), asks("t", function), asks("u", next_one, "answered"))

    await platform.post({**EVENT, "ce-traceparent": TRACE})
    await next_one.wait_for(1)

    assert next_one.requests[0][0]["ce-traceparent"] == expected


async def test_headers_are_there_at_every_attempt_and_after_a_restart(
    tmp_path, settings, subscribe
):
    statuses = iter([503])
    function = await subscribe(lambda *_: web.Response(status=next(statuses, 204)))
    first = Platform(tmp_path, settings)
    await first.start()
    slow = {**QUICK, "backoffDelay": "PT0.5S"}
    first.apply(broker_object(), asks("t", function, delivery=slow))
    await first.post({**EVENT, "traceparent": TRACE})
    await function.wait_for(1)
    await first.stop()

    second = Platform(tmp_path, settings)
    await second.start()
    await function.wait_for(2)
    await second.stop()

    assert [headers["traceparent"] for headers, _ in function.requests] == [TRACE, TRACE]


async def test_headers_without_end_are_not_kept(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(), asks("t", function))

    status, _ = await platform.post({**EVENT, **{f"knative-{n}": "x" * 4000 for n in range(9)}})
    await platform.settled()

    kept = [value for name, value in function.requests[0][0].items() if "knative-" in name.lower()]
    assert (status, 1 <= len(kept) <= 2) == (202, True)


@pytest.mark.parametrize("status", [201, 202, 203, 206])
async def test_only_200_brings_a_reply(platform, subscribe, status):
    function = await subscribe(lambda *_: reply("r", status=status))
    next_one = await subscribe()
    platform.apply(broker_object(), asks("t", function), asks("u", next_one, "answered"))

    await platform.post(EVENT)
    (entry,) = await platform.settled()

    assert [trigger["state"] for trigger in entry["triggers"]] == ["delivered"]
    assert next_one.requests == []


@pytest.mark.parametrize("annotations", [None, {"a": "b"}])
async def test_a_broker_has_the_default_class(platform, annotations):
    item = broker_object()
    item["metadata"]["annotations"] = annotations

    (made,) = platform.apply(item)
    made["metadata"]["annotations"] = {"c": "d"}
    changed = platform.objects.update("Broker", made)

    class_ = {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}
    assert platform.apply(broker_object("other"))[0]["metadata"]["annotations"] == class_
    assert changed["metadata"]["annotations"] == {"c": "d", **class_}


async def test_a_broker_keeps_the_class_that_it_was_made_with(platform):
    item = broker_object()
    item["metadata"]["annotations"] = class_ = {"eventing.knative.dev/broker.class": "Kafka"}

    (made,) = platform.apply(item)
    del made["metadata"]["annotations"]

    assert platform.objects.update("Broker", made)["metadata"]["annotations"] == class_
