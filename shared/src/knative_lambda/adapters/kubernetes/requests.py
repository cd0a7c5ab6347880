"""Which request a custom resource stands for: the newest event's, or its own as it was applied.

An event leaves in annotations who it was and the state in which it left the record. As soon as the
state is another one, somebody has applied the record since, and that is a request of its own.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from knative_lambda.adapters.kubernetes.client import FIELD_MANAGER
from knative_lambda.domain.lambda_function import RequestStamp
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_JUST_AFTER = timedelta(microseconds=1)
_REDEPLOY_FIELD = f"f:{labels.REDEPLOY}"


class Request(NamedTuple):
    """The stamp of the newest request, that of the newest event, and what the record asks for."""

    stamp: RequestStamp
    event_stamp: RequestStamp | None
    refresh: bool


def read_request(item: KubernetesObject) -> Request:
    """Return which request this is; pydantic's `ValidationError` where annotations are no stamp."""
    annotations = item["metadata"].get("annotations") or {}
    event_stamp = None
    if labels.REQUEST_ID in annotations or labels.REQUEST_TIME in annotations:
        event_stamp = RequestStamp.model_validate(
            {
                "time": annotations.get(labels.REQUEST_TIME),
                "eventId": annotations.get(labels.REQUEST_ID),
            }
        )
        if _is_as_left(item, annotations):
            return Request(event_stamp, event_stamp, refresh=False)
    redeploy = annotations.get(labels.REDEPLOY)
    refresh = bool(redeploy) and redeploy == annotations.get(labels.REFRESH)
    return Request(_applied(item, event_stamp), event_stamp, refresh=refresh)


def request_annotations(
    stamp: RequestStamp, generation: int, before: Mapping[str, str]
) -> dict[str, str]:
    """Return the annotations of a record that an event leaves with this generation."""
    return {
        **before,
        labels.REQUEST_ID: stamp.event_id,
        labels.REQUEST_TIME: stamp.time.isoformat(),
        labels.REQUEST_STATE: _state(generation, before),
    }


def _is_as_left(item: KubernetesObject, annotations: Mapping[str, str]) -> bool:
    generation = item["metadata"]["generation"]
    left = annotations.get(labels.REQUEST_STATE)
    if left is not None:
        return left == _state(generation, annotations)
    # Of a version that built for events alone: it took up what it had written itself.
    is_taken_up = _mapping(item.get("status")).get("observedGeneration") == generation
    return is_taken_up and labels.REDEPLOY not in annotations


def _state(generation: int, annotations: Mapping[str, str]) -> str:
    """Return what is another one for another request: people write annotations of any length."""
    redeploy = annotations.get(labels.REDEPLOY)
    # Padded, so that the order of two texts is that of their generations.
    state = f"{generation:06}"
    return (
        f"{state}/{hashlib.sha256(redeploy.encode(errors='surrogatepass')).hexdigest()[:16]}"
        if redeploy
        else state
    )


def _applied(item: KubernetesObject, event_stamp: RequestStamp | None) -> RequestStamp:
    """Return the stamp of a record as it was applied; its time is known to the second."""
    metadata = item["metadata"]
    state = _state(metadata["generation"], metadata.get("annotations") or {})
    id_ = f"{metadata['uid']}/{state}"
    build = _mapping(_mapping(item.get("status")).get("build"))
    if build.get("wishId") == id_ and build.get("wishTime"):
        # Of the same request, which a later change of a label does not make a newer one.
        return RequestStamp.model_validate({"time": build["wishTime"], "eventId": id_})
    stamp = RequestStamp.model_validate({"time": _written_at(metadata), "eventId": id_})
    if event_stamp is not None and not event_stamp.time < stamp.time:
        return stamp.model_copy(update={"time": event_stamp.time + _JUST_AFTER})
    return stamp


def _written_at(metadata: Mapping[str, Any]) -> str:
    """Return when somebody other than we wrote what makes a request; RFC 3339, in UTC."""
    times = [
        str(entry["time"])
        for entry in metadata.get("managedFields") or ()
        if entry.get("manager") != FIELD_MANAGER
        and not entry.get("subresource")
        and entry.get("time")
        and _makes_a_request(_mapping(entry.get("fieldsV1")))
    ]
    return max([str(metadata["creationTimestamp"]), *times])


def _mapping(value: object) -> Mapping[str, Any]:
    """Return an object; an empty one for what somebody wrote in place of one."""
    return value if isinstance(value, dict) else {}


def _makes_a_request(fields: Mapping[str, Any]) -> bool:
    annotations = _mapping(_mapping(fields.get("f:metadata")).get("f:annotations"))
    return "f:spec" in fields or _REDEPLOY_FIELD in annotations
