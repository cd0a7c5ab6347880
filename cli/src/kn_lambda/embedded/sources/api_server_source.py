"""One ApiServerSource at work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kn_lambda.embedded.sources.label_selector import selects
from kn_lambda.embedded.sources.resource_events import is_wanted, resource_event, takes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.embedded.broker.event import CloudEvent
    from kn_lambda.embedded.objects import Change, Objects
    from kn_lambda.embedded.sources.resource_events import Verb
    from kn_lambda.embedded.sources.sink import Sink

_SENT_AT_ONCE = 100


class ApiServerSource:
    """Reports what is there when it starts as added, and every change from then on."""

    def __init__(
        self, item: Mapping[str, Any], *, objects: Objects, sink: Sink, api_url: str
    ) -> None:
        self._spec = item["spec"]
        self._namespace = item["metadata"].get("namespace", "")
        self._objects = objects
        self._sink = sink
        self._api_url = api_url
        self._known: set[str] = set()
        self._events: asyncio.Queue[CloudEvent] = asyncio.Queue()
        self._listed = int(objects.resource_version)
        for kind in sorted({resource["kind"] for resource in self._spec["resources"]}):
            for found in objects.list(kind):
                self._report(kind, found, deleted=False)

    async def run(self) -> None:
        """Send what is reported, until cancelled."""
        while True:
            events = [await self._events.get()]
            while not self._events.empty() and len(events) < _SENT_AT_ONCE:
                events.append(self._events.get_nowait())
            await asyncio.gather(*(self._sink.send(event) for event in events))

    def observe(self, change: Change) -> None:
        """Report a change of any object, where it is one that this source watches."""
        if int(change.object["metadata"]["resourceVersion"]) > self._listed:
            self._report(change.kind, change.object, deleted=change.type == "DELETED")

    def _report(self, kind: str, item: Mapping[str, Any], *, deleted: bool) -> None:
        uid = item["metadata"]["uid"]
        known = uid in self._known
        # An object that loses its label is gone for a watch with a selector, as in Kubernetes.
        there = not deleted and takes(self._spec, kind, item) and self._watches(item)
        if not (known or there):
            return
        verb: Verb = "delete" if not there else "update" if known else "add"
        (self._known.add if there else self._known.discard)(uid)
        event = resource_event(self._spec, verb, kind, item, source=self._api_url)
        if is_wanted(self._spec, event):
            self._events.put_nowait(event)

    def _watches(self, item: Mapping[str, Any]) -> bool:
        namespace = item["metadata"].get("namespace", "")
        selector = self._spec.get("namespaceSelector")
        if selector is None:
            return bool(namespace == self._namespace)
        found = self._objects.find("Namespace", "", namespace)
        labels = (found["metadata"].get("labels") if found else None) or {}
        return selects(selector, {"kubernetes.io/metadata.name": namespace, **labels})
