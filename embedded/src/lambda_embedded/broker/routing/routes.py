"""Which Triggers an event goes to, at a cost that does not grow with the number of Triggers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from lambda_embedded.eventing import filters
from lambda_embedded.eventing.delivery_spec import DeliverySpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.broker.routing.route import BrokerRoute, Key, Route, Target


class Routes:
    """All Brokers and Triggers; a Trigger with a problem is known but gets no new events."""

    def __init__(self) -> None:
        self._brokers: dict[Key, BrokerRoute] = {}
        self._triggers: dict[Key, Route] = {}
        self._by_uid: dict[str, Route] = {}
        self._by_target: defaultdict[Target, set[str]] = defaultdict(set)
        self._indexes: defaultdict[Key, _Index] = defaultdict(_Index)

    def put_broker(self, broker: BrokerRoute) -> None:
        """Add or replace a Broker."""
        self._brokers[broker.namespace, broker.name] = broker

    def remove_broker(self, namespace: str, name: str) -> None:
        """Forget a Broker; its Triggers stay."""
        self._brokers.pop((namespace, name), None)

    def put_trigger(self, route: Route) -> Route | None:
        """Add or replace a Trigger; return the previous one of that name."""
        previous = self.remove_trigger(*route.key)
        self._triggers[route.key] = self._by_uid[route.uid] = route
        if route.target is not None:
            self._by_target[route.target].add(route.uid)
        if route.problem is None:
            self._indexes[route.namespace, route.broker].add(route)
        return previous

    def remove_trigger(self, namespace: str, name: str) -> Route | None:
        """Forget a Trigger and return it."""
        route = self._triggers.pop((namespace, name), None)
        if route is not None:
            del self._by_uid[route.uid]
            if route.target is not None:
                self._by_target[route.target].discard(route.uid)
            self._indexes[route.namespace, route.broker].remove(route)
        return route

    def broker(self, namespace: str, name: str) -> BrokerRoute | None:
        """Return a Broker, or None."""
        return self._brokers.get((namespace, name))

    def trigger(self, uid: str) -> Route | None:
        """Return the Trigger with this uid, or None when it is gone."""
        return self._by_uid.get(uid)

    def triggers_of(self, namespace: str, broker: str) -> list[Route]:
        """Return every Trigger that names this Broker."""
        return [
            route
            for route in self._triggers.values()
            if (route.namespace, route.broker) == (namespace, broker)
        ]

    def subscribed_to(self, target: Target) -> list[Route]:
        """Return the Triggers whose subscriber is this object (kind, namespace, name)."""
        return [self._by_uid[uid] for uid in self._by_target.get(target, ())]

    def match(self, namespace: str, broker: str, attributes: Mapping[str, str]) -> list[Route]:
        """Return the Triggers of a Broker that match an event, sorted by name."""
        index = self._indexes.get((namespace, broker))
        candidates = index.candidates(attributes) if index else []
        found = [route for route in candidates if filters.matches(route.spec, attributes)]
        return sorted(found, key=lambda route: route.name)

    def delivery(self, route: Route) -> DeliverySpec:
        """Return the delivery spec of a Trigger, else of its Broker."""
        if route.delivery is not None:
            return route.delivery
        broker = self.broker(route.namespace, route.broker)
        return broker.delivery if broker else DeliverySpec()

    def sink(self, route: Route) -> Mapping[str, Any] | None:
        """Return the dead letter sink of a Trigger, else of its Broker."""
        broker = self.broker(route.namespace, route.broker)
        return route.sink or (broker.sink if broker else None)


class _Index:
    """Triggers of one Broker, by one attribute value that each of them requires."""

    def __init__(self) -> None:
        self._by_value: defaultdict[tuple[str, str], dict[str, Route]] = defaultdict(dict)
        self._others: dict[str, Route] = {}
        self._buckets: dict[str, dict[str, Route]] = {}

    def add(self, route: Route) -> None:
        required = filters.required_values(route.spec)
        # The value that the fewest other Triggers require distinguishes this one best.
        chosen = min(
            sorted(required), key=lambda pair: len(self._by_value.get(pair, ())), default=None
        )
        bucket = self._others if chosen is None else self._by_value[chosen]
        self._buckets[route.uid] = bucket
        bucket[route.uid] = route

    def remove(self, route: Route) -> None:
        bucket = self._buckets.pop(route.uid, None)
        if bucket is not None:
            del bucket[route.uid]

    def candidates(self, attributes: Mapping[str, str]) -> list[Route]:
        found = list(self._others.values())
        for pair in attributes.items():
            found.extend(self._by_value.get(pair, {}).values())
        return found
