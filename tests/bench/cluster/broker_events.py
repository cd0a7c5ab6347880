"""The events of the builder's Broker among the changes, told by a Trigger of the bench's own."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from tests.bench.builds import event_seen
from tests.bench.sink import Sink
from tests.helpers.cluster import CONTROL
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.timeline import Timeline

TRIGGER = "bench"
_PATH = f"/apis/eventing.knative.dev/v1/namespaces/{CONTROL}/triggers/{TRIGGER}"
_READY_SECONDS = 60.0


@contextlib.contextmanager
def events_noted(cluster: MeasuredCluster, timeline: Timeline) -> Iterator[None]:
    """Note each event as it arrives here; none where Pods do not reach this machine."""
    if cluster.host_address is None:
        yield
        return

    def told(attributes: Mapping[str, str]) -> None:
        timeline.note(event_seen(time.time(), attributes))

    with Sink(cluster.host_address, told) as sink:
        cluster.api.apply(_PATH, _trigger(sink.url))
        try:
            wait_for(lambda: _is_ready(cluster), within=_READY_SECONDS)
            yield
        finally:
            cluster.api.delete(_PATH)


def _is_ready(cluster: MeasuredCluster) -> bool:
    status = (cluster.api.get(_PATH) or {}).get("status") or {}
    conditions = status.get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _trigger(url: str) -> dict[str, object]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": TRIGGER, "namespace": CONTROL},
        "spec": {"broker": CONTROL, "subscriber": {"uri": url}},
    }
