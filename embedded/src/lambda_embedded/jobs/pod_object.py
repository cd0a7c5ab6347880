"""The Pod object that a Job controller creates."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from lambda_embedded.store.job_selector import pod_labels
from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from lambda_embedded.store.objects import KubernetesObject

NODE_NAME = "embedded"
# Kubernetes' own alphabet for generated names: no vowels, so no words.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_MAX_PREFIX = 57


def new_pod(job: KubernetesObject) -> KubernetesObject:
    """Return a pending pod of a Job, named `<job>-<5 characters>`."""
    template = job["spec"]["template"]
    metadata = template.get("metadata") or {}
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
    labels = {**(metadata.get("labels") or {}), **pod_labels(job)}
    owner = {
        "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid,
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name[:_MAX_PREFIX]}-{suffix}",
            "generateName": f"{name}-",
            "namespace": job["metadata"]["namespace"],
            "labels": labels,
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [owner],
        },
        "spec": {**template["spec"], "nodeName": NODE_NAME},
        "status": {"phase": "Pending", "conditions": [scheduled(gated=True)]},
    }


def scheduled(*, gated: bool) -> dict[str, Any]:
    """Return the condition PodScheduled.

    A pod that waits for its turn is not unschedulable: in Kubernetes' words, it is gated.
    """
    condition = {"type": "PodScheduled", "status": "True", "lastTransitionTime": timestamp()}
    if not gated:
        return condition
    message = "Waiting for a place on this machine"
    return condition | {"status": "False", "reason": "SchedulingGated", "message": message}
