"""The one way into the Broker, for requests, event sources and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.broker.routing.routes import Routes
    from lambda_embedded.broker.store.deliveries import DeliveryStore, Scheduled

_TTL = "knativebrokerttl"
_FIRST_TTL = 255


class UnknownBrokerError(LookupError):
    """No Broker object has that name."""


class EventLoopError(InvalidEventError):
    """The event passed the Broker too often; it is recorded and not delivered."""


def take_ttl(event: CloudEvent) -> tuple[CloudEvent, int]:
    """Return the event as subscribers see it, and how often it may still pass the Broker."""
    text = event.attributes.get(_TTL)
    if text is None:
        return event, _FIRST_TTL
    try:
        ttl = max(int(text[:12]) - 1, 0)
    except ValueError:
        ttl = _FIRST_TTL
    return event.without(_TTL), ttl


class Intake:
    """Writes an event and its deliveries; called within a transaction."""

    def __init__(
        self, store: DeliveryStore, routes: Routes, *, catch_up: Callable[[], None]
    ) -> None:
        self._store = store
        self._routes = routes
        self._catch_up = catch_up

    def enter(
        self,
        namespace: str,
        broker: str,
        event: CloudEvent,
        ttl: int,
        *,
        headers: Mapping[str, str],
    ) -> list[Scheduled]:
        """Add an event, and one delivery per matching Trigger unless its TTL is used up."""
        if ttl <= 0:
            reason = f"it passed the Broker {_FIRST_TTL} times (knativebrokerttl)"
            self._store.insert_event(namespace, broker, event, 0, reason, headers=headers)
            return []
        self._catch_up()
        routes = self._routes.match(namespace, broker, event.attributes)
        sequence = self._store.insert_event(namespace, broker, event, ttl, None, headers=headers)
        return self._store.insert_deliveries(sequence, routes)
