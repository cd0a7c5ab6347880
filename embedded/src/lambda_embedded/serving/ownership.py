"""Labels and owner references of Service, Revision and Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_embedded.store.objects import KubernetesObject

SERVICE_LABEL = "serving.knative.dev/service"
CONFIGURATION_LABEL = "serving.knative.dev/configuration"
GENERATION_LABEL = "serving.knative.dev/configurationGeneration"
REVISION_LABEL = "serving.knative.dev/revision"
VISIBILITY_LABEL = "networking.knative.dev/visibility"
CLUSTER_LOCAL = "cluster-local"


def owner_reference(kind: str, owner: KubernetesObject) -> dict[str, object]:
    """Return the reference by which the garbage collector finds dependents of a deleted owner."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owner_uid(item: KubernetesObject) -> str | None:
    """Return the uid of the owner, or None."""
    for reference in item["metadata"].get("ownerReferences") or []:
        uid: str = reference["uid"]
        return uid
    return None
