"""`.status` of event sources, as Knative writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.eventing.conditions import Condition, conditions, failed
from lambda_embedded.sources.ping_source import TYPE as PING_TYPE
from lambda_embedded.sources.ping_source import ping_source
from lambda_embedded.sources.resource_events import TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping


def source_status(
    kind: str, item: Mapping[str, Any], *, url: str | None, problem: str | None, api_url: str
) -> dict[str, Any]:
    """Return the status of a source; ready when its sink has an address and its spec works."""
    parts = [
        Condition("SinkProvided")
        if url
        else failed("SinkProvided", "NotFound", "spec.sink has no address yet"),
        failed("Deployed", "InvalidSpec", problem) if problem else Condition("Deployed"),
    ]
    status: dict[str, Any] = {
        "observedGeneration": item["metadata"].get("generation", 1),
        "conditions": conditions(parts, item.get("status") or {}),
        "ceAttributes": _attributes(kind, item, api_url),
    }
    return {**status, "sinkUri": url} if url else status


def _attributes(kind: str, item: Mapping[str, Any], api_url: str) -> list[dict[str, str]]:
    if kind == "PingSource":
        metadata = item["metadata"]
        source = ping_source(metadata.get("namespace", ""), metadata["name"])
        return [{"type": PING_TYPE, "source": source}]
    mode = (item.get("spec") or {}).get("mode") or "Reference"
    return [{"type": type_, "source": api_url} for type_ in TYPES.get(mode, TYPES["Reference"])]
