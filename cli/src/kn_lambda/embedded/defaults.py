"""What kube-apiserver and Knative's webhooks fill in before an object is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.embedded.job_selector import generate_selector

if TYPE_CHECKING:
    from kn_lambda.embedded.changes import KubernetesObject

BROKER_CLASS = "eventing.knative.dev/broker.class"
_DEFAULT_BROKER_CLASS = "MTChannelBasedBroker"


def fill_in(kind: str, item: KubernetesObject, old: KubernetesObject | None = None) -> None:
    """Complete an object in place; a Broker without a class keeps the one that it had."""
    if kind == "Job" and old is None:
        generate_selector(item)
    if kind != "Broker" or BROKER_CLASS in _annotations(item):
        return
    class_ = _annotations(old or {}).get(BROKER_CLASS, _DEFAULT_BROKER_CLASS)
    item["metadata"]["annotations"] = {**_annotations(item), BROKER_CLASS: class_}


def _annotations(item: KubernetesObject) -> dict[str, str]:
    return item.get("metadata", {}).get("annotations") or {}
