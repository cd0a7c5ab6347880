"""A running ApiServerSource."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lambda_embedded.sources.resource_events import is_wanted, resource_event, takes
from lambda_embedded.store.label_selectors import selects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.sources.resource_events import Verb
    from lambda_embedded.sources.sink import Sink
    from lambda_embedded.store.objects import Change, Objects

_SENT_AT_ONCE = 100


class ApiServerSource:
    """Reports the objects that exist at its start as added, and every change from then on."""

    def __init__(
        self, item: Mapping[str, Any], *, objects: Objects, sink: Sink, api_url: str
    ) -> None:
        self._spec = item["spec"]
        self._namespace = item["metadata"].get("namespace", "")
        self._objects = objects
        self._sink = sink
        self._api_url = api_url
        self._known: dict[str, int] = {}  # uid -> the version that was reported last
        self._events: asyncio.Queue[CloudEvent] = asyncio.Queue()
        self._listed = int(objects.resource_version)
        self._look(None)

    async def run(self) -> None:
        """Send the events until cancelled."""
        while True:
            events = [await self._events.get()]
            while not self._events.empty() and len(events) < _SENT_AT_ONCE:
                events.append(self._events.get_nowait())
            await asyncio.gather(*(self._sink.send(event) for event in events))

    def observe(self, change: Change) -> None:
        """Report a change if it concerns an object that this source watches."""
        metadata = change.object["metadata"]
        if int(metadata["resourceVersion"]) > self._known.get(metadata["uid"], self._listed):
            self._report(change.kind, change.object, deleted=change.type == "DELETED")
            if change.kind == "Namespace" and "namespaceSelector" in self._spec:
                self._look(metadata["name"])

    def _look(self, namespace: str | None) -> None:
        """Report objects that the source began or ceased to watch, in one namespace or in all."""
        for resource in sorted(self._spec["resources"], key=lambda each: str(each["kind"])):
            kind, selector = resource["kind"], resource.get("selector") or {}
            # The selector may match a few of very many objects.
            for found in self._objects.list(kind, namespace, labels=selector.get("matchLabels")):
                if (found["metadata"]["uid"] in self._known) != self._is_there(kind, found):
                    self._report(kind, found, deleted=False)

    def _is_there(self, kind: str, item: Mapping[str, Any]) -> bool:
        return takes(self._spec, kind, item) and self._watches(item)

    def _report(self, kind: str, item: Mapping[str, Any], *, deleted: bool) -> None:
        uid = item["metadata"]["uid"]
        known = uid in self._known
        # As in Kubernetes, a watch with a selector sees an object that loses its label as deleted.
        there = not deleted and self._is_there(kind, item)
        if not (known or there):
            return
        verb: Verb = "delete" if not there else "update" if known else "add"
        if there:
            self._known[uid] = int(item["metadata"]["resourceVersion"])
        else:
            self._known.pop(uid, None)
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
