"""Deletion as Kubernetes does it: finalizers first, and a Namespace only when it is empty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_embedded.store.objects import KubernetesObject, Objects


def request_deletion(objects: Objects, kind: str, namespace: str, name: str) -> KubernetesObject:
    """Delete an object, or mark it where finalizers (or a Namespace's content) come first.

    Return its last state, or the marked one; `NotFoundError` where there is none.
    """
    item = objects.get(kind, namespace, name)
    if not item["metadata"].get("finalizers") and kind != "Namespace":
        return objects.delete(kind, namespace, name)
    if is_being_deleted(item):
        return item
    item["metadata"]["deletionTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "Namespace":
        item["status"] = {**(item.get("status") or {}), "phase": "Terminating"}
    return objects.update(kind, item)


def is_being_deleted(item: KubernetesObject) -> bool:
    """Whether the object waits for its finalizers, or a Namespace for its content, to go."""
    return "deletionTimestamp" in item["metadata"]


def may_go(kind: str, item: KubernetesObject) -> bool:
    """Whether nothing holds an object that is being deleted any more."""
    return kind != "Namespace" and is_being_deleted(item) and not item["metadata"].get("finalizers")
