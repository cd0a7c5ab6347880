"""The Triggers of a lambda: one of all subscriptions, and one for events that are for it alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.names import derived_name
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.names import FunctionId


# All that is addressed begins with this; a filter cannot ask whether an attribute is there.
_ADDRESSED = {"prefix": {labels.TARGET_EXTENSION: "/"}}


def subscriptions_trigger(deployment: Deployment, *, broker: str) -> dict[str, Any] | None:
    """Return the Trigger of what the lambda subscribes to; None if that is nothing.

    One for all subscriptions, whose name says nothing of them: a change of them changes its
    filters, and not the Broker's channel, and an event that two of them ask for comes once.
    """
    unique = {
        json.dumps(attributes, sort_keys=True): {"exact": attributes}
        for attributes in deployment.spec.subscriptions
    }
    if not unique:
        return None
    function = deployment.function
    wanted = [exact for _, exact in sorted(unique.items())]
    return _trigger(
        derived_name(function.name, str(function), broker, "subscriptions"),
        function,
        labels.owner_reference(function, deployment.uid),
        broker,
        # An event that is for one lambda alone reaches no other, whatever its type.
        [
            wanted[0] if len(wanted) == 1 else {"any": wanted},
            _not_its_own(function),
            {"not": _ADDRESSED},
        ],
    )


def target_trigger(function: FunctionId, uid: str, *, broker: str) -> dict[str, Any]:
    """Return the Trigger of events that are for this lambda alone; `uid` is its record's.

    It is made by who sends the first of them, so it asks for no right on the record that owns it.
    """
    owner = labels.owner_reference(function, uid)
    return _trigger(
        target_trigger_name(function, broker=broker),
        function,
        {**owner, "controller": False, "blockOwnerDeletion": False},
        broker,
        [{"exact": {labels.TARGET_EXTENSION: target_of(function)}}, _not_its_own(function)],
    )


def target_trigger_name(function: FunctionId, *, broker: str) -> str:
    """Return the name of that Trigger, whether or not it exists."""
    return derived_name(function.name, str(function), broker, labels.TARGET_EXTENSION)


def target_of(function: FunctionId) -> str:
    """Return the value of the extension attribute that addresses a lambda."""
    return f"/{function}"


def _not_its_own(function: FunctionId) -> dict[str, Any]:
    # A lambda never receives its own replies, whatever their type and source.
    return {"not": {"exact": {labels.LAMBDA_EXTENSION: str(function)}}}


def _trigger(
    name: str,
    function: FunctionId,
    owner: dict[str, Any],
    broker: str,
    filters: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {
            "name": name,
            "namespace": function.namespace,
            "labels": labels.function_labels(function),
            "ownerReferences": [owner],
        },
        "spec": {
            "broker": broker,
            "filters": filters,
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
