"""Labels, annotations and owner references that all our objects carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.lambda_function import API_GROUP, API_VERSION, KIND

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId

MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"
FUNCTION_NAMESPACE = f"{API_GROUP}/function-namespace"
FUNCTION_NAME = f"{API_GROUP}/function-name"
BUILD_ID = f"{API_GROUP}/build-id"
# Some names are older than the words for them.
REQUEST_ID = f"{API_GROUP}/wish-id"
"""Of records and Events, and of Jobs of versions whose builds had two containers."""
JOB_REQUEST_ID = f"{API_GROUP}/request-id"
"""Functions of those versions, which still run while an upgrade replaces them, do not know it.

They would take the end of such a Job for that of a build that made an image.
"""
REQUEST_TIME = f"{API_GROUP}/wish-time"
REQUEST_STATE = f"{API_GROUP}/request-state"
"""What an event left behind when it wrote a record: a later state is a request of its own."""
REDEPLOY = f"{API_GROUP}/redeploy"
"""Set by people: another value is another request for the same lambda."""
REFRESH = f"{API_GROUP}/refresh"
"""Set by people, to the value of `REDEPLOY`: that request installs its packages anew."""
SET_FIELDS = f"{API_GROUP}/set-fields"
NOTIFIED_AT = f"{API_GROUP}/announced-at"
CORRELATION_ID = f"{API_GROUP}/correlation-id"
FIELD = f"{API_GROUP}/field"
FAILED = f"{API_GROUP}/failed"
"""Selects Services and Triggers whose changes are reported while the record says Failed."""
GENERATION = f"{API_GROUP}/generation"
OWNER_UID = f"{API_GROUP}/owner-uid"
LAMBDA_EXTENSION = "lambdafunction"
"""Extension attribute that the runtimes set on every reply: `<namespace>/<name>`."""
TARGET_EXTENSION = "lambdatarget"
"""Extension attribute of an event that is for one lambda alone: `/<namespace>/<name>`."""


def function_labels(function: FunctionId) -> dict[str, str]:
    """Return the labels by which everything of one lambda is found."""
    return {
        MANAGED_BY: "knative-lambda",
        NAME: function.name,
        FUNCTION_NAMESPACE: function.namespace,
        FUNCTION_NAME: function.name,
    }


def marked_failed(item: dict[str, Any]) -> dict[str, Any]:
    """Return the Service or Trigger of a lambda whose record says Failed."""
    marked = {**item["metadata"]["labels"], FAILED: "true"}
    return {**item, "metadata": {**item["metadata"], "labels": marked}}


def owner_reference(function: FunctionId, uid: str) -> dict[str, Any]:
    """Let Kubernetes collect the object together with the record."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": function.name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
