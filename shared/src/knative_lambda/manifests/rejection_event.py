"""The Kubernetes Event in which build-start says why it rejected a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.lambda_function import API_VERSION, KIND
from knative_lambda.domain.names import derived_name
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.errors import KnativeLambdaError
    from knative_lambda.domain.events import Event
    from knative_lambda.domain.names import FunctionId

_COMPONENT = "knative-lambda/build-start"
_MAX_MESSAGE_BYTES = 1024  # of events.k8s.io; the older API that we use has no limit of its own


def rejection_event_name(function: FunctionId, *, source: str, event_id: str) -> str:
    """Name the Event after the CloudEvent: two deliveries make one, and its sender can look it up.

    Source and id together identify a CloudEvent.
    """
    return derived_name(function.name, str(function), source, event_id)


def rejection_event(
    function: FunctionId,
    event: Event,
    error: KnativeLambdaError,
    *,
    uid: str | None,
    at: datetime,
) -> dict[str, Any]:
    """Return the Event; `uid` is that of the record, where there is one.

    `kubectl describe` only shows Events with the uid of what it describes.
    """
    text = f"{error.field}: {error.message}" if error.field else error.message
    annotations = {labels.REQUEST_ID: event.id, labels.CORRELATION_ID: event.correlation_id}
    if error.field:
        annotations[labels.FIELD] = error.field
    involved = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "namespace": function.namespace,
        "name": function.name,
    }
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": rejection_event_name(function, source=event.source, event_id=event.id),
            "namespace": function.namespace,
            "annotations": annotations,
        },
        "involvedObject": involved if uid is None else {**involved, "uid": uid},
        "type": "Warning",
        "reason": error.reason,
        "message": _shortened(text),
        "action": "StartBuild",
        "source": {"component": _COMPONENT},
        "reportingComponent": _COMPONENT,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }


def _shortened(text: str) -> str:
    """Cut between two characters; half a surrogate pair, which no encoding takes, becomes `?`."""
    return text.encode(errors="replace")[:_MAX_MESSAGE_BYTES].decode(errors="ignore")
