"""How a Job finds its Pods: by labels that kube-apiserver sets when the Job is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_embedded.store.changes import KubernetesObject

JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
_UID_LABEL = "batch.kubernetes.io/controller-uid"


def pod_labels(job: KubernetesObject) -> dict[str, str]:
    """Return the labels that only this Job's Pods have, under their current and legacy names."""
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    return {"job-name": name, JOB_NAME_LABEL: name, "controller-uid": uid, _UID_LABEL: uid}


def generate_selector(job: KubernetesObject) -> None:
    """Set the selector of a new Job and its template's labels, unless `manualSelector` is set.

    `kubectl logs job/NAME` finds the Pods by the selector; without one it would pick any Pod.
    """
    spec = _object(job, "spec")
    template = spec.get("template")
    if not isinstance(template, dict) or spec.get("manualSelector"):
        return
    metadata = _object(template, "metadata")
    labels = {**_object(metadata, "labels"), **pod_labels(job)}
    template["metadata"] = {**metadata, "labels": labels}
    spec["selector"] = {"matchLabels": {_UID_LABEL: job["metadata"]["uid"]}}


def keep_selector(job: KubernetesObject, old: KubernetesObject) -> None:
    """Keep the generated selector when a manifest without one replaces the Job."""
    if "selector" in _object(old, "spec") and _object(job, "spec").get("selector") is None:
        generate_selector(job)


def _object(value: dict[str, Any], field: str) -> dict[str, Any]:
    found = value.get(field)
    return found if isinstance(found, dict) else {}
