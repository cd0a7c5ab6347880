"""Sources, the Broker and subscribers together."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from lambda_embedded.sources.controller import SourceController
from tests.integration.broker.helpers.running_broker import QUICK, broker_object, trigger_object

SINK = {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}}


def source_object(sink):
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "ApiServerSource",
        "metadata": {"namespace": "team", "name": "jobs"},
        "spec": {
            "mode": "Resource",
            "resources": [{"apiVersion": "batch/v1", "kind": "Job"}],
            "sink": sink,
        },
    }


def job(name):
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": "team", "name": name},
    }


@pytest.fixture
async def sources(platform):
    made = SourceController(
        platform.objects, platform.broker.accept, api_url="http://127.0.0.1:8082"
    )
    await made.start()
    yield made
    await made.stop()


async def test_a_change_of_a_job_reaches_the_trigger_that_asks_for_jobs(
    platform, sources, subscribe
):
    function, other = await subscribe(), await subscribe()
    platform.apply(
        broker_object(delivery=QUICK),
        trigger_object("jobs", function.url, filter={"attributes": {"kind": "Job"}}),
        trigger_object("pods", other.url, filter={"attributes": {"kind": "Pod"}}),
        source_object(SINK),
        job("build"),
    )

    await function.wait_for(1)
    headers, body = function.requests[0]

    assert headers["ce-type"] == "dev.knative.apiserver.resource.add"
    assert headers["ce-name"] == "build"
    assert json.loads(body)["metadata"]["name"] == "build"
    assert not other.requests


async def test_a_sink_with_a_uri_gets_the_events_itself(platform, sources, subscribe):
    answers = iter([503, 204])
    sink = await subscribe(lambda *_: web.Response(status=next(answers)))
    platform.apply(job("build"), source_object({"uri": sink.url}))

    await sink.wait_for(2)

    assert [headers["ce-name"] for headers, _body in sink.requests] == ["build", "build"]
    assert len(set(sink.ids)) == 1
