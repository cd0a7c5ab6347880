"""Brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.api.admission.webhooks.destinations import delivery_faults
from lambda_embedded.schemas.causes import Cause
from lambda_embedded.schemas.structure import is_same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_embedded.store.objects import KubernetesObject

_CLASS = "eventing.knative.dev/broker.class"


def faults(item: KubernetesObject) -> Iterator[Cause]:
    """What Knative rejects in a Broker."""
    yield from delivery_faults(item.get("spec") or {})


def changes(item: KubernetesObject, old: KubernetesObject | None) -> Iterator[Cause]:
    """What Knative rejects in an update: only the delivery may change."""
    if old is None:
        return
    if not is_same(_without_delivery(item), _without_delivery(old)):
        yield Cause("spec", "Immutable fields changed")
    # A Broker stored before there was a default has no class.
    before, now = _class_of(old), _class_of(item)
    if before is not None and before != now:
        yield Cause(f"metadata.annotations[{_CLASS}]", "Immutable annotations changed")


def _without_delivery(item: KubernetesObject) -> dict[str, Any]:
    return {key: value for key, value in (item.get("spec") or {}).items() if key != "delivery"}


def _class_of(item: KubernetesObject) -> object:
    return (item["metadata"].get("annotations") or {}).get(_CLASS)
