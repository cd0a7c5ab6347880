"""The schemas and printer columns of custom kinds, from their definitions.

`definition` is everywhere the file of LambdaFunction's CustomResourceDefinition.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lambda_embedded.schemas.known import lambda_function_version, openapi_schema

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_embedded.api.kinds.served import Kind


def custom_schema(kind: Kind, definition: Path) -> dict[str, Any]:
    """Return the `openAPIV3Schema` of a kind, or one that accepts anything if it is not known."""
    found = _revision_schema() if kind.kind == "Revision" else openapi_schema(kind.kind, definition)
    return found or {
        "description": f"See the documentation of {kind.group}; its fields are not listed here.",
        "type": "object",
        "properties": dict.fromkeys(("spec", "status"), _ANYTHING),
    }


_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def printer_columns(kind: Kind, definition: Path) -> list[dict[str, Any]]:
    """Return the `additionalPrinterColumns` of a custom kind."""
    if kind.kind == "LambdaFunction":
        return _lambda_function_columns(definition)
    return _KNATIVE_COLUMNS.get(kind.kind, [_AGE])


@cache
def _lambda_function_columns(definition: Path) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = lambda_function_version(definition)["additionalPrinterColumns"]
    return columns


def _revision_schema() -> dict[str, Any] | None:
    """Return a schema whose spec is that of the template that a Service has for its Revisions."""
    service = openapi_schema("Service")
    if service is None:
        return None
    template = service["properties"]["spec"]["properties"]["template"]
    return {
        "description": "Revision is an immutable snapshot of code and configuration.",
        "type": "object",
        "properties": {"spec": template["properties"]["spec"], "status": _ANYTHING},
    }


def _column(name: str, path: str, type_: str = "string", priority: int = 0) -> dict[str, Any]:
    return {"name": name, "type": type_, "jsonPath": path, "priority": priority}


_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_READY = _column("Ready", ".status.conditions[?(@.type=='Ready')].status")
_REASON = _column("Reason", ".status.conditions[?(@.type=='Ready')].reason")
# As the definitions of Serving and Eventing have them, at the versions that the testbed pins.
_KNATIVE_COLUMNS = {
    "Service": [
        _column("URL", ".status.url"),
        _column("LatestCreated", ".status.latestCreatedRevisionName"),
        _column("LatestReady", ".status.latestReadyRevisionName"),
        _READY,
        _REASON,
    ],
    "Revision": [
        _column("Config Name", r".metadata.labels.serving\.knative\.dev/configuration"),
        _column("Generation", r".metadata.labels.serving\.knative\.dev/configurationGeneration"),
        _READY,
        _REASON,
        _column("Actual Replicas", ".status.actualReplicas", "integer"),
        _column("Desired Replicas", ".status.desiredReplicas", "integer"),
    ],
    "Broker": [
        _column("URL", ".status.address.url"),
        _AGE,
        _READY,
        _REASON,
        _column("Class", r".metadata.annotations.eventing\.knative\.dev/broker\.class", priority=1),
    ],
    "Trigger": [
        _column("Broker", ".spec.broker"),
        _column("Subscriber_URI", ".status.subscriberUri"),
        _AGE,
        _READY,
        _REASON,
    ],
    "PingSource": [
        _column("Sink", ".status.sinkUri"),
        _column("Schedule", ".spec.schedule"),
        _AGE,
        _READY,
        _REASON,
    ],
    "ApiServerSource": [_column("Sink", ".status.sinkUri"), _AGE, _READY, _REASON],
}
