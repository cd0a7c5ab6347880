"""Events of a Broker are noted among the changes that watches tell of."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from tests.bench.builds import BUILD_COMPLETE, IN_REGISTRY, build_moments
from tests.bench.cluster.broker_events import events_noted
from tests.bench.platform_process import Connection
from tests.bench.timeline import Timeline


class Api:
    """Keeps one Trigger, which is ready at once."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def apply(self, path: str, item: dict[str, Any]) -> None:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        self.kept[path] = {**item, "status": status}

    def get(self, path: str) -> dict[str, Any] | None:
        return self.kept.get(path)

    def delete(self, path: str) -> None:
        del self.kept[path]


def test_an_event_counts_from_its_arrival():
    api, timeline, begin = Api(), Timeline(SimpleNamespace()), time.time()
    with events_noted(SimpleNamespace(host_address="127.0.0.1", api=api), timeline):
        (trigger,) = api.kept.values()
        connection = Connection(trigger["spec"]["subscriber"]["uri"])
        attributes = {"id": "1", "source": "/x", "subject": "default/hello"}
        assert connection.send_event("/", {}, type=BUILD_COMPLETE, **attributes)[0] == 204
        connection.close()

    assert api.kept == {}
    moments = build_moments(timeline.since(begin), "hello", begin)
    assert begin <= moments[IN_REGISTRY] <= time.time()


def test_a_cluster_that_does_not_reach_this_machine_is_left_alone():
    api = Api()
    with events_noted(SimpleNamespace(host_address=None, api=api), Timeline(SimpleNamespace())):
        assert api.kept == {}
