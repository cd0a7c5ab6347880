"""The defaults that kube-apiserver and Knative's webhooks set before an object is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.store.job_selector import generate_selector

if TYPE_CHECKING:
    from lambda_embedded.store.changes import KubernetesObject

BROKER_CLASS = "eventing.knative.dev/broker.class"
_DEFAULT_BROKER_CLASS = "MTChannelBasedBroker"


def set_defaults(kind: str, item: KubernetesObject, old: KubernetesObject | None = None) -> None:
    """Set defaults in place; a Broker without a class keeps the one that it had."""
    if kind == "Job" and old is None:
        generate_selector(item)
    if kind == "Namespace":
        _set_namespace_defaults(item)
    if kind != "Broker" or BROKER_CLASS in _annotations(item):
        return
    class_ = _annotations(old or {}).get(BROKER_CLASS, _DEFAULT_BROKER_CLASS)
    item["metadata"]["annotations"] = {**_annotations(item), BROKER_CLASS: class_}


def _set_namespace_defaults(item: KubernetesObject) -> None:
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    metadata["labels"] = {**labels, "kubernetes.io/metadata.name": metadata["name"]}
    item["spec"] = item.get("spec") or {"finalizers": ["kubernetes"]}
    item["status"] = {"phase": "Active", **(item.get("status") or {})}


def _annotations(item: KubernetesObject) -> dict[str, str]:
    return item.get("metadata", {}).get("annotations") or {}
