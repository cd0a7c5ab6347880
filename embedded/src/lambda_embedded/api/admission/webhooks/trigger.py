"""Triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.api.admission.webhooks.denial import missing, unknown
from lambda_embedded.api.admission.webhooks.destinations import delivery_faults, destination_faults
from lambda_embedded.eventing import filters
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_embedded.store.objects import KubernetesObject

_FIELDS = frozenset({"broker", "brokerRef", "filter", "filters", "subscriber", "delivery"})


def complete(item: KubernetesObject) -> None:
    """Set the empty filter, which every event passes, on a Trigger without one."""
    item["spec"].setdefault("filter", {})


def faults(item: KubernetesObject) -> Iterator[Cause]:
    """What Knative rejects in a Trigger."""
    spec = item.get("spec") or {}
    # The schema keeps unknown fields here; every event would pass a misspelt filter.
    yield from (unknown(f"spec.{name}") for name in spec if name not in _FIELDS)
    if spec.get("brokerRef") is not None:
        yield Cause("spec.brokerRef", "must not set the field(s)")
    elif not spec.get("broker"):
        yield missing("spec.broker")
    problem = filters.problem(spec)
    if problem is not None:
        field, _, message = problem.partition(" ")
        yield Cause(field.rstrip(":"), f"invalid value: {message}")
    yield from destination_faults(spec.get("subscriber"), "spec.subscriber")
    yield from delivery_faults(spec)


def changes(_item: KubernetesObject, _old: KubernetesObject | None) -> Iterator[Cause]:
    """What Knative rejects in an update; the kind itself makes the Broker immutable."""
    yield from ()
