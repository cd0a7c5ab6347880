"""`.status` of Brokers and Triggers, as Knative writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.eventing.conditions import Condition, conditions, failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.broker.routing.route import BrokerRoute, Route


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
        message = f"Broker {route.broker!r} does not exist in namespace {route.namespace!r}"
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
