"""The Secret of a build Job: what opens the objects of this build, and the package index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.domain.build import BuildAccess, BuildOrder

SECRET_VARIABLES: Final[Mapping[str, bool]] = {
    "CONTEXT_URL": True,
    "RESULT_URL": True,
    "RESULT_FIELDS": False,
    "PACKAGE_INDEX_CREDENTIALS": False,
}
"""Variables of the container, and whether each build has them."""


def build_secret_name(order: BuildOrder | BuildAccess) -> str:
    """Return the name that the Job's Pods know it by."""
    return order.name


def build_secret(
    order: BuildOrder | BuildAccess, *, namespace: str, index_credentials: str | None, job_uid: str
) -> dict[str, Any]:
    """Return the Secret; Kubernetes collects it together with this very Job."""
    values = {"CONTEXT_URL": order.context_url, "RESULT_URL": order.upload.url}
    if order.upload.fields is not None:
        values["RESULT_FIELDS"] = json.dumps(order.upload.fields)
    if index_credentials is not None:
        values["PACKAGE_INDEX_CREDENTIALS"] = index_credentials
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": order.name, "uid": job_uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": build_secret_name(order),
            "namespace": namespace,
            "labels": labels.function_labels(order.function),
            "ownerReferences": [owner],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": values,
    }
