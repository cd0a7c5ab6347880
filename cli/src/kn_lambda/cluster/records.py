"""Readers of a LambdaFunction as the API returns it.

Anybody may write a record, so `mapping`, `mappings` and `text` accept a value of any type: a
malformed field must not break the command that shows the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

DEFAULT_TYPE = "com.example.event"


def status_of(record: KubernetesObject | None) -> dict[str, Any]:
    """Return the status; an empty one before the control plane has written any."""
    return (record or {}).get("status") or {}


def build_of(record: KubernetesObject | None) -> dict[str, Any]:
    """Return the newest build in the status; an empty object before the first."""
    return status_of(record).get("build") or {}


def as_document(record: KubernetesObject) -> KubernetesObject:
    """Return the record without `managedFields`, as `kubectl get -o yaml` shows an object."""
    metadata = {k: v for k, v in record["metadata"].items() if k != "managedFields"}
    return {**record, "metadata": metadata}


def is_http(record: KubernetesObject) -> bool:
    """Whether the function takes plain HTTP requests, not CloudEvents."""
    return bool(record.get("spec", {}).get("signature") == "http")


def subscribed_type(record: KubernetesObject) -> str:
    """Return the first event type that the function subscribes to, or an example of a type."""
    for attributes in record.get("spec", {}).get("subscriptions") or ():
        if "type" in attributes:
            return str(attributes["type"])
    return DEFAULT_TYPE


def mapping(value: object) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list; an empty list for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Return text, or a number as text; an empty string for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
