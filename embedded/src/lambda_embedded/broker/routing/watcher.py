"""Keeps the routes in step with Broker and Trigger objects, the only source of routing."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lambda_embedded.broker.routing.route import read_broker, read_trigger

if TYPE_CHECKING:
    from lambda_embedded.broker.routing.route import Key
    from lambda_embedded.broker.routing.routes import Routes
    from lambda_embedded.store.objects import Change, Objects


logger = logging.getLogger(__name__)


class RouteWatcher:
    """Applies changes of objects to the routes, and records what the `Reconciler` has to do."""

    def __init__(self, objects: Objects, routes: Routes) -> None:
        self._objects = objects
        self._routes = routes
        self._queue = objects.watch()
        self.changed = asyncio.Event()
        self.stale_brokers: set[Key] = set()
        self.stale_triggers: set[Key] = set()
        self.removed_lanes: list[str] = []
        self.addresses_changed = False

    def start(self) -> None:
        """Read all Brokers and Triggers."""
        for kind in ("Broker", "Trigger"):
            for item in self._objects.list(kind):
                self._put(kind, item)
        self.changed.set()

    def stop(self) -> None:
        """Stop watching."""
        self._objects.unwatch(self._queue)

    async def run(self) -> None:
        """Apply changes as they come, until cancelled."""
        while True:
            self._apply(await self._queue.get())
            self.catch_up()

    def catch_up(self) -> None:
        """Apply all changes so far, so that an event reaches every Trigger created before it."""
        while not self._queue.empty():
            self._apply(self._queue.get_nowait())

    def _apply(self, change: Change) -> None:
        try:
            self._update(change)
        except Exception:
            # One malformed object must not stop all routing.
            logger.exception("a change of a %s could not be applied", change.kind)

    def _update(self, change: Change) -> None:
        if change.kind not in {"Broker", "Trigger"}:
            self._apply_address(change)
        elif change.type == "DELETED":
            self._remove(change)
        else:
            self._put(change.kind, change.object)
        self.changed.set()

    def _put(self, kind: str, item: dict[str, object]) -> None:
        if kind == "Broker":
            broker = read_broker(item)
            self._routes.put_broker(broker)
            self._broker_is_stale(broker.namespace, broker.name)
            return
        route = read_trigger(item)
        previous = self._routes.put_trigger(route)
        if previous is not None and previous.uid != route.uid:
            self.removed_lanes.append(previous.uid)
        self.stale_triggers.add(route.key)

    def _remove(self, change: Change) -> None:
        metadata = change.object["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        if change.kind == "Broker":
            self._routes.remove_broker(namespace, name)
            self._broker_is_stale(namespace, name)
        elif (route := self._routes.remove_trigger(namespace, name)) is not None:
            self.removed_lanes.append(route.uid)

    def _broker_is_stale(self, namespace: str, name: str) -> None:
        self.stale_brokers.add((namespace, name))
        self.stale_triggers |= {route.key for route in self._routes.triggers_of(namespace, name)}

    def _apply_address(self, change: Change) -> None:
        metadata = change.object["metadata"]
        key = (change.kind, metadata.get("namespace", ""), metadata["name"])
        waiting = self._routes.subscribed_to(key)
        if waiting:
            self.stale_triggers |= {route.key for route in waiting}
            self.addresses_changed = True
