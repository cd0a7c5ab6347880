"""What `kn broker` and `kn trigger` read of the objects."""

from __future__ import annotations

from datetime import datetime

import pytest

from lambda_embedded.broker.report.status import broker_status, trigger_status
from lambda_embedded.broker.routing.route import read_broker, read_trigger

BROKER = {"metadata": {"name": "default", "namespace": "team", "generation": 2, "uid": "b"}}
TRIGGER = {
    "metadata": {"name": "one", "namespace": "team", "generation": 3, "uid": "t"},
    "spec": {
        "broker": "default",
        "filter": {"attributes": {"type": "a"}},
        "subscriber": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service",
                               "name": "hello"}},
    },
}  # fmt: skip


def _broker(item=BROKER):
    return broker_status(read_broker(item), item, url="http://broker", sink_url=None)


def _trigger(*, broker=True, subscriber="http://hello"):
    route = read_trigger(TRIGGER)
    return trigger_status(
        route, TRIGGER, broker=read_broker(BROKER) if broker else None,
        subscriber_url=subscriber, sink_url=None,
    )  # fmt: skip


def _conditions_of(status):
    for condition in status["conditions"]:
        assert datetime.fromisoformat(condition["lastTransitionTime"]).tzinfo
    return {condition["type"]: condition for condition in status["conditions"]}


def test_kn_broker_list_and_describe():
    status = _broker()
    assert status["address"]["url"] == "http://broker"
    assert _conditions_of(status)["Ready"]["status"] == "True"
    assert status["observedGeneration"] == 2


@pytest.mark.parametrize(
    ("facts", "ready", "reason"),
    [
        ({}, "True", None),
        ({"broker": False}, "False", "BrokerDoesNotExist"),
        ({"subscriber": None}, "False", "NotAddressable"),
    ],
)
def test_kn_trigger_list_and_describe(facts, ready, reason):
    status = _trigger(**facts)
    condition = _conditions_of(status)["Ready"]
    assert (condition["status"], condition.get("reason")) == (ready, reason)
    assert status["observedGeneration"] == 3
