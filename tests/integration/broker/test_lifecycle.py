"""Start, stop and status of the Broker."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from lambda_embedded.broker.settings import BrokerSettings
from tests.integration.broker.helpers.running_broker import (
    QUICK,
    WITH_SINK,
    Platform,
    broker_object,
    trigger_object,
)


async def until(condition):
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


def ready(item):
    conditions = item.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == "Ready"), {})


async def test_a_stop_is_no_failed_attempt(tmp_path, settings, subscribe):
    never = asyncio.Event()

    async def hang():
        await never.wait()
        return web.Response()

    answers = iter([hang(), web.Response(status=204)])
    function = await subscribe(lambda *_: next(answers))
    first = Platform(tmp_path, settings)
    await first.start()
    first.apply(broker_object(delivery={"retry": 0}), trigger_object("t", function.url))
    await first.send()
    await function.wait_for(1)
    await first.stop()

    second = Platform(tmp_path, settings)
    await second.start()
    (entry,) = await second.settled()
    await second.stop()
    never.set()

    assert entry["triggers"][0]["state"] == "delivered"
    assert entry["triggers"][0]["attempts"] == 1


async def test_deliveries_of_a_trigger_deleted_while_down_are_dropped(
    tmp_path, settings, subscribe
):
    function = await subscribe(lambda *_: web.Response(status=503))
    delivery = {"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT1H"}
    first = Platform(tmp_path, settings)
    await first.start()
    first.apply(broker_object(delivery=delivery), trigger_object("t", function.url))
    await first.send()
    await until(lambda: first.broker.journal()[0]["triggers"][0]["attempts"] == 1)
    await first.stop()

    second = Platform(tmp_path, settings)
    second.objects.delete("Trigger", "team", "t")
    await second.start()
    (entry,) = await second.settled()
    await second.stop()

    assert entry["triggers"][0]["state"] == "dropped"


async def test_a_wait_for_a_retry_outlives_a_restart(tmp_path, settings, subscribe):
    answers = iter([503, 204])
    function = await subscribe(lambda *_: web.Response(status=next(answers)))
    delivery = {"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.3S"}
    first = Platform(tmp_path, settings)
    await first.start()
    first.apply(broker_object(delivery=delivery), trigger_object("t", function.url))
    await first.send()
    await until(lambda: first.broker.journal()[0]["triggers"][0]["attempts"] == 1)
    await first.stop()

    second = Platform(tmp_path, settings)
    await second.start()
    (entry,) = await second.settled()
    await second.stop()

    assert entry["triggers"][0]["state"] == "delivered"
    assert entry["triggers"][0]["attempts"] == 2


async def test_broker_and_trigger_have_the_status_of_knative(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", function.url))
    await until(lambda: ready(platform.objects.get("Trigger", "team", "t")))

    broker = platform.objects.get("Broker", "team", "default")["status"]
    trigger = platform.objects.get("Trigger", "team", "t")["status"]

    assert broker["address"] == {"name": "http", "url": "http://127.0.0.1:8081/team/default"}
    assert {item["type"]: item["status"] for item in broker["conditions"]}["Ready"] == "True"
    assert trigger["subscriberUri"] == function.url
    assert trigger["deadLetterSinkUri"] == "http://127.0.0.1:8081/-/dead-letters"
    assert {item["type"]: item["status"] for item in trigger["conditions"]} == {
        "BrokerReady": "True",
        "DeadLetterSinkResolved": "True",
        "DependencyReady": "True",
        "Ready": "True",
        "SubscriberResolved": "True",
        "SubscriptionReady": "True",
    }


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"filters": [{"cesql": "TRUE"}]}, "cesql"),
        ({"delivery": {"backoffDelay": "soon"}}, "spec.delivery.backoffDelay"),
        ({"broker": "other"}, "other"),
        ({"subscriber": {"ref": {"kind": "Service", "name": "none"}}}, "no address"),
    ],
)
async def test_a_trigger_that_cannot_work_says_why(platform, spec, message):
    item = trigger_object("t", "http://127.0.0.1:1/")
    item["spec"] |= spec
    platform.apply(broker_object(), item)
    await until(lambda: ready(platform.objects.get("Trigger", "team", "t")))

    condition = ready(platform.objects.get("Trigger", "team", "t"))

    assert condition["status"] == "False"
    assert message in condition["message"]


async def test_a_trigger_becomes_ready_when_its_broker_comes(platform, subscribe):
    function = await subscribe()
    platform.apply(trigger_object("t", function.url))
    await until(lambda: ready(platform.objects.get("Trigger", "team", "t")))

    platform.apply(broker_object(delivery=QUICK))

    await until(lambda: ready(platform.objects.get("Trigger", "team", "t")).get("status") == "True")


async def test_an_object_that_nobody_can_read_stops_no_routing(platform, subscribe):
    function = await subscribe()
    platform.apply(
        broker_object(),
        {"kind": "Trigger", "metadata": {"namespace": "team", "name": "odd"}, "spec": [1]},
        {"kind": "Broker", "metadata": {"namespace": "team", "name": "odd"}, "spec": "x"},
        trigger_object("t", function.url),
    )

    await platform.send()
    await function.wait_for(1)

    assert function.ids == ["1"]


@pytest.mark.parametrize(
    "settings",
    [BrokerSettings(unresolved_limit=timedelta(0), drain=timedelta(0))],
    ids=["no wait"],
)
async def test_a_subscriber_without_address_for_too_long_is_a_dead_letter(platform):
    subscriber = {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "f"}}
    platform.apply(broker_object(delivery=WITH_SINK), trigger_object("t", subscriber))

    await platform.send()
    (entry,) = await platform.settled()

    assert entry["triggers"][0]["state"] == "dead"
    assert len(platform.broker.dead_letters()) == 1
