"""Writes the status of Brokers and Triggers, and drops the deliveries of deleted Triggers."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from lambda_embedded.broker.deliver.delivery import TRIGGER_GONE
from lambda_embedded.broker.report.status import broker_status, trigger_status
from lambda_embedded.broker.routing.route import read_broker, read_trigger
from lambda_embedded.store.objects import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_embedded.broker.deliver.dispatcher import Dispatcher
    from lambda_embedded.broker.routing.route import Key
    from lambda_embedded.broker.routing.routes import Routes
    from lambda_embedded.broker.routing.watcher import RouteWatcher
    from lambda_embedded.broker.store.deliveries import DeliveryStore
    from lambda_embedded.broker.store.group_commit import GroupCommit
    from lambda_embedded.eventing.destinations import Resolve
    from lambda_embedded.store.objects import Objects

logger = logging.getLogger(__name__)

_WRITTEN_AT_ONCE = 100


class Reconciler:
    """Handles the changes that the `RouteWatcher` recorded."""

    def __init__(
        self,
        *,
        objects: Objects,
        routes: Routes,
        watcher: RouteWatcher,
        store: DeliveryStore,
        commit: GroupCommit,
        dispatcher: Dispatcher,
        resolve: Resolve,
        base_url: str,
    ) -> None:
        self._objects = objects
        self._routes = routes
        self._watcher = watcher
        self._store = store
        self._commit = commit
        self._dispatcher = dispatcher
        self._resolve = resolve
        self._base_url = base_url.rstrip("/")

    async def run(self) -> None:
        """Reconcile whenever something changed, until cancelled."""
        while True:
            await self._watcher.changed.wait()
            self._watcher.changed.clear()
            try:
                await self.reconcile()
            except Exception:
                # Routing does not depend on it, and the next change tries again.
                logger.exception("the status of Brokers and Triggers could not be written")

    async def reconcile(self) -> None:
        """Bring everything up to date with the changes so far."""
        watcher = self._watcher
        lanes, watcher.removed_lanes = watcher.removed_lanes, []
        for lane in lanes:
            await self._drop(lane)
        brokers, watcher.stale_brokers = watcher.stale_brokers, set()
        await self._write_all(self._write_broker, brokers)
        triggers, watcher.stale_triggers = watcher.stale_triggers, set()
        await self._write_all(self._write_trigger, triggers)
        if watcher.addresses_changed or triggers:
            watcher.addresses_changed = False
            self._dispatcher.unblock()

    async def _drop(self, lane: str) -> None:
        # A delivery in progress may still succeed; if it fails, it is dropped then.
        running = self._dispatcher.running(lane)
        await self._commit.run(lambda: self._store.drop_lane(lane, running, TRIGGER_GONE))

    async def _write_all(self, write: Callable[[Key], None], keys: set[Key]) -> None:
        ordered = sorted(keys)
        for start in range(0, len(ordered), _WRITTEN_AT_ONCE):
            part = ordered[start : start + _WRITTEN_AT_ONCE]
            await self._commit.run(partial(_write_each, write, part))

    def _write_broker(self, key: Key) -> None:
        item = self._objects.find("Broker", *key)
        if item is None:
            return
        broker = read_broker(item)
        url = f"{self._base_url}/{broker.namespace}/{broker.name}"
        status = broker_status(broker, item, url=url, sink_url=self._sink_url(broker.sink))
        self._write("Broker", item, status)

    def _write_trigger(self, key: Key) -> None:
        item = self._objects.find("Trigger", *key)
        if item is None:
            return
        route = read_trigger(item)
        status = trigger_status(
            route,
            item,
            broker=self._routes.broker(route.namespace, route.broker),
            subscriber_url=self._resolve(route.subscriber, route.namespace),
            sink_url=self._sink_url(self._routes.sink(route)),
        )
        self._write("Trigger", item, status)

    def _write(self, kind: str, item: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        if item.get("status") == status:
            return
        metadata = item["metadata"]
        try:
            self._objects.update_status(
                kind, metadata.get("namespace", ""), metadata["name"], status
            )
        except NotFoundError:
            return

    def _sink_url(self, sink: Mapping[str, Any] | None) -> str | None:
        if sink is None:
            return None
        # A sink that refers to any object means the platform's own store of dead letters.
        return f"{self._base_url}/-/dead-letters" if sink.get("ref") else sink.get("uri")


def _write_each(write: Callable[[Key], None], keys: list[Key]) -> None:
    for key in keys:
        write(key)
