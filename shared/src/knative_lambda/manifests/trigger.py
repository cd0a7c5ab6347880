"""The Triggers of a lambda: one per subscription."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.names import derived_name
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.domain.deployment import Deployment


def lambda_triggers(deployment: Deployment, *, broker: str) -> list[dict[str, Any]]:
    """Return the Triggers, named after their filters: the same subscription, the same Trigger."""
    unique = {
        json.dumps(attributes, sort_keys=True): attributes
        for attributes in deployment.spec.subscriptions
    }
    return [
        _trigger(deployment, broker, key, attributes) for key, attributes in sorted(unique.items())
    ]


def _trigger(
    deployment: Deployment, broker: str, key: str, attributes: dict[str, str]
) -> dict[str, Any]:
    function = deployment.function
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {
            "name": derived_name(function.name, str(function), broker, key),
            "namespace": function.namespace,
            "labels": labels.function_labels(function),
            "ownerReferences": [labels.owner_reference(function, deployment.uid)],
        },
        "spec": {
            "broker": broker,
            "filters": [
                {"exact": attributes},
                # A lambda never receives its own replies, whatever their type and source.
                {"not": {"exact": {labels.LAMBDA_EXTENSION: str(function)}}},
            ],
            "subscriber": {
                "ref": {
                    "apiVersion": "serving.knative.dev/v1",
                    "kind": "Service",
                    "name": function.name,
                    "namespace": function.namespace,
                }
            },
        },
    }
