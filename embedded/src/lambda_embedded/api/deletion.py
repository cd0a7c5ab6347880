"""Deletion as Kubernetes does it: finalizers first, and a Namespace only when it is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from lambda_embedded.store.objects import KubernetesObject, Objects


def request_deletion(objects: Objects, kind: str, namespace: str, name: str) -> KubernetesObject:
    """Delete an object, or mark it where finalizers (or a Namespace's content) come first.

    Return its last or marked state; `NotFoundError` if there is no such object.
    """
    item = objects.get(kind, namespace, name)
    if not item["metadata"].get("finalizers") and kind != "Namespace":
        return objects.delete(kind, namespace, name)
    if is_being_deleted(item):
        return item
    item["metadata"]["deletionTimestamp"] = timestamp()
    if kind == "Namespace":
        item["status"] = {**(item.get("status") or {}), "phase": "Terminating"}
    return objects.update(kind, item)


def is_being_deleted(item: KubernetesObject) -> bool:
    """Whether deletion has begun, and waits for finalizers or a Namespace's content."""
    return "deletionTimestamp" in item["metadata"]


def may_go(kind: str, item: KubernetesObject) -> bool:
    """Whether an object that is being deleted has no finalizers left."""
    return kind != "Namespace" and is_being_deleted(item) and not item["metadata"].get("finalizers")
