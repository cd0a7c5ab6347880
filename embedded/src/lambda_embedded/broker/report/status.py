"""`.status` of Brokers and Triggers in Knative's shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_embedded.broker.routing.routes import BrokerRoute, Route


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; it holds when there is no reason against it."""

    type: str
    reason: str = ""
    message: str = ""
    status: str = "True"


def failed(type_: str, reason: str, message: str) -> Condition:
    """Return a condition that does not hold."""
    return Condition(type_, reason, message, "False")


def conditions(
    parts: Sequence[Condition], previous: Mapping[str, Any], now: datetime | None = None
) -> list[dict[str, str]]:
    """Return the parts and their sum, `Ready`; an unchanged one keeps its transition time."""
    ready = next(
        (
            Condition("Ready", part.reason, part.message, part.status)
            for part in parts
            if part.status != "True"
        ),
        Condition("Ready"),
    )
    before = {item["type"]: item for item in previous.get("conditions") or []}
    moment = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = []
    for part in sorted((*parts, ready), key=lambda part: part.type):
        old = before.get(part.type, {})
        same = old.get("status") == part.status
        item = {
            "type": part.type,
            "status": part.status,
            "lastTransitionTime": old.get("lastTransitionTime", moment) if same else moment,
        }
        if part.reason:
            item |= {"reason": part.reason, "message": part.message}
        result.append(item)
    return result


def broker_status(
    broker: BrokerRoute, item: Mapping[str, Any], *, url: str, sink_url: str | None
) -> dict[str, Any]:
    """Return the status of a Broker."""
    ingress = Condition("IngressReady")
    if broker.problem:
        ingress = failed("IngressReady", "InvalidSpec", broker.problem)
    parts = [Condition("Addressable"), Condition("FilterReady"), ingress]
    status: dict[str, Any] = {
        "observedGeneration": item["metadata"].get("generation", 1),
        "address": {"name": "http", "url": url},
        "conditions": conditions([*parts, _sink_condition(sink_url)], item.get("status") or {}),
    }
    return status if sink_url is None else {**status, "deadLetterSinkUri": sink_url}


def trigger_status(
    route: Route,
    item: Mapping[str, Any],
    *,
    broker: BrokerRoute | None,
    subscriber_url: str | None,
    sink_url: str | None,
) -> dict[str, Any]:
    """Return the status of a Trigger."""
    parts = [
        _broker_condition(route, broker),
        Condition("DependencyReady"),
        _sink_condition(sink_url),
        Condition("SubscriberResolved")
        if subscriber_url
        else failed("SubscriberResolved", "NotAddressable", "spec.subscriber has no address yet"),
        failed("SubscriptionReady", "InvalidSpec", route.problem)
        if route.problem
        else Condition("SubscriptionReady"),
    ]
    status: dict[str, Any] = {
        "observedGeneration": item["metadata"].get("generation", 1),
        "conditions": conditions(parts, item.get("status") or {}),
    }
    urls = {"subscriberUri": subscriber_url, "deadLetterSinkUri": sink_url}
    return status | {name: url for name, url in urls.items() if url}


def _broker_condition(route: Route, broker: BrokerRoute | None) -> Condition:
    if broker is None:
        message = f"Broker {route.broker!r} is not there in namespace {route.namespace!r}"
        return failed("BrokerReady", "BrokerDoesNotExist", message)
    if broker.problem:
        return failed("BrokerReady", "InvalidSpec", broker.problem)
    return Condition("BrokerReady")


def _sink_condition(sink_url: str | None) -> Condition:
    if sink_url:
        return Condition("DeadLetterSinkResolved")
    return Condition(
        "DeadLetterSinkResolved",
        "DeadLetterSinkNotConfigured",
        "No dead letter sink is configured.",
    )
