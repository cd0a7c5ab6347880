"""Events of an ApiServerSource: which changes of objects it reports, and how they read."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Literal

from knative_lambda.inbound.valid_event import CloudEvent, create_event
from lambda_embedded.eventing import filters
from lambda_embedded.store.label_selectors import selects

if TYPE_CHECKING:
    from collections.abc import Mapping

    Item = Mapping[str, Any]

Verb = Literal["add", "update", "delete"]

_PREFIX = "dev.knative.apiserver"
TYPES = {
    mode: tuple(f"{_PREFIX}.{word}.{verb}" for verb in ("add", "delete", "update"))
    for mode, word in (("Reference", "ref"), ("Resource", "resource"))
}


def takes(spec: Item, kind: str, item: Item) -> bool:
    """Whether a source with this spec reports this object, in whatever namespace."""
    return any(
        resource.get("kind") == kind
        and resource.get("apiVersion") == item.get("apiVersion")
        and selects(resource.get("selector"), item["metadata"].get("labels") or {})
        for resource in spec.get("resources") or []
    ) and _has_owner(spec.get("owner"), item)


def resource_event(spec: Item, verb: Verb, kind: str, item: Item, *, source: str) -> CloudEvent:
    """Return the event of one change, as Knative's adapter creates it."""
    metadata = item["metadata"]
    version, name = str(item.get("apiVersion", "")), metadata["name"]
    namespace = metadata.get("namespace", "")
    whole = spec.get("mode") == "Resource"
    reference = {"apiVersion": version, "kind": kind, "name": name, "namespace": namespace}
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": f"{_PREFIX}.{'resource' if whole else 'ref'}.{verb}",
        "subject": f"/apis/{version}/namespaces/{namespace}/{kind.lower()}s/{name}",
        "datacontenttype": "application/json",
        "apiversion": version,
        "kind": kind,
        "name": name,
        "namespace": namespace,
        **extensions(spec),
    }
    data = item if whole else reference
    return create_event(attributes, json.dumps(data, ensure_ascii=False).encode())


def extensions(spec: Item) -> dict[str, str]:
    """Return the extension attributes that a source adds or overrides."""
    return dict((spec.get("ceOverrides") or {}).get("extensions") or {})


def is_wanted(spec: Item, event: CloudEvent) -> bool:
    """Whether the source's own `filters` let an event pass."""
    return filters.matches({"filters": spec.get("filters")}, event.attributes)


def _has_owner(wanted: Item | None, item: Item) -> bool:
    if not wanted:
        return True
    owners = item["metadata"].get("ownerReferences") or []
    controller: Item = next((owner for owner in owners if owner.get("controller")), {})
    return bool(controller) and all(
        not wanted.get(field) or wanted[field] == controller.get(field)
        for field in ("apiVersion", "kind")
    )
