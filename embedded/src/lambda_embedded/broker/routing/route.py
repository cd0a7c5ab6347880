"""Broker and Trigger objects as the Broker reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_embedded.eventing import filters
from lambda_embedded.eventing.delivery_spec import (
    DeliverySpec,
    InvalidDeliverySpecError,
    parse_delivery_spec,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[str, str]  # namespace and name
Target = tuple[str, str, str]  # kind, namespace and name


@dataclass(frozen=True, slots=True)
class Route:
    """One Trigger."""

    namespace: str
    name: str
    uid: str
    broker: str
    spec: Mapping[str, Any]
    subscriber: Mapping[str, Any]
    delivery: DeliverySpec | None = None  # None: the Broker's
    sink: Mapping[str, Any] | None = None  # None: the Broker's
    problem: str | None = None

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def target(self) -> Target | None:
        """The object that the subscriber refers to, unless it is a URI."""
        reference = self.subscriber.get("ref")
        if not isinstance(reference, dict):
            return None
        namespace = reference.get("namespace") or self.namespace
        return str(reference.get("kind")), str(namespace), str(reference.get("name"))


@dataclass(frozen=True, slots=True)
class BrokerRoute:
    """One Broker."""

    namespace: str
    name: str
    delivery: DeliverySpec = field(default_factory=DeliverySpec)
    sink: Mapping[str, Any] | None = None
    problem: str | None = None


def read_trigger(item: Mapping[str, Any]) -> Route:
    """Read a Trigger object; `problem` says what cannot be used."""
    metadata, spec = item["metadata"], _mapping(item.get("spec"))
    delivery, sink, problem = _read_delivery(spec)
    problem = problem or filters.problem(spec)
    if not isinstance(spec.get("broker"), str):
        problem = "spec.broker must name a Broker of the same namespace"
    if not isinstance(spec.get("subscriber"), dict):
        problem = "spec.subscriber must hold a ref or a uri"
    return Route(
        *(metadata.get("namespace", ""), metadata["name"], metadata["uid"]),
        *(str(spec.get("broker", "")), spec, _mapping(spec.get("subscriber"))),
        *(delivery, sink, problem),
    )


def read_broker(item: Mapping[str, Any]) -> BrokerRoute:
    """Read a Broker object; `problem` says what cannot be used."""
    metadata = item["metadata"]
    delivery, sink, problem = _read_delivery(_mapping(item.get("spec")))
    namespace, delivery = metadata.get("namespace", ""), delivery or DeliverySpec()
    return BrokerRoute(namespace, metadata["name"], delivery, sink, problem)


def _read_delivery(
    spec: Mapping[str, Any],
) -> tuple[DeliverySpec | None, Mapping[str, Any] | None, str | None]:
    delivery = spec.get("delivery")
    if delivery is None:
        return None, None, None
    sink = delivery.get("deadLetterSink") if isinstance(delivery, dict) else None
    if not isinstance(delivery, dict) or not isinstance(sink or {}, dict):
        return None, None, "spec.delivery and its deadLetterSink must be objects"
    try:
        return parse_delivery_spec(delivery), sink, None
    except InvalidDeliverySpecError as error:
        return None, sink, f"spec.{error}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
