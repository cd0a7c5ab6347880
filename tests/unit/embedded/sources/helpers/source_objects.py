"""Sources and the Broker that they send to, as objects."""

from __future__ import annotations

EVENTING = "eventing.knative.dev/v1"


BROKER_SINK = {"ref": {"apiVersion": EVENTING, "kind": "Broker", "name": "default"}}


def source_object(kind, name="source", **spec):
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": kind,
        "metadata": {"namespace": "team", "name": name},
        "spec": {"sink": BROKER_SINK, **spec},
    }


def add_broker(objects):
    item = {
        "apiVersion": EVENTING,
        "kind": "Broker",
        "metadata": {"namespace": "team", "name": "default"},
        "status": {"address": {"url": "http://127.0.0.1:1/team/default"}},
    }
    return objects.create("Broker", item)
