"""Status of Services and Revisions in Knative's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.store.objects import KubernetesObject

MESSAGE_BYTES = 1024
_CONTAINER = "user-container"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceState:
    """The revisions of a Service, and why the newest one failed, if it did."""

    url: str
    created: str
    ready: str | None
    failure: str | None = None


def service_status(service: KubernetesObject, state: ServiceState) -> dict[str, Any]:
    """Return the status of a Service; times of conditions that did not change are kept."""
    if state.failure is not None:
        message = f'Revision "{state.created}" failed: {state.failure}'
        configurations = condition("False", "RevisionFailed", message)
    elif state.created == state.ready:
        configurations = condition("True")
    else:
        configurations = condition("Unknown", "RevisionStarting")
    if state.ready is not None:
        routes = condition("True")
    elif state.failure is not None:
        routes = condition("False", "RevisionMissing", "no revision is ready to take traffic")
    else:
        routes = condition("Unknown", "RevisionMissing")
    conditions = {
        "ConfigurationsReady": configurations,
        "Ready": configurations,
        "RoutesReady": routes,
    }
    status: dict[str, Any] = {
        "observedGeneration": service["metadata"]["generation"],
        "conditions": _with_times(conditions, service.get("status") or {}),
        "url": state.url,
        "address": {"url": state.url},
        "latestCreatedRevisionName": state.created,
    }
    if state.ready is not None:
        status["latestReadyRevisionName"] = state.ready
        target = {"latestRevision": True, "percent": 100, "revisionName": state.ready}
        status["traffic"] = [target]
    return status


def revision_status(revision: KubernetesObject, ready: Mapping[str, str]) -> dict[str, Any]:
    """Return the status of a Revision with this condition Ready."""
    status: dict[str, Any] = {
        "observedGeneration": revision["metadata"]["generation"],
        "conditions": _with_times({"Ready": ready}, revision.get("status") or {}),
    }
    digests = [
        {"name": container.get("name") or _CONTAINER, "imageDigest": container["image"]}
        for container in revision["spec"].get("containers") or []
        if "@sha256:" in container.get("image", "")
    ]
    return {**status, "containerStatuses": digests} if digests else status


def ready_condition(item: KubernetesObject) -> Mapping[str, Any]:
    """Return the condition Ready, or an empty one of status Unknown."""
    for found in (item.get("status") or {}).get("conditions") or []:
        if found["type"] == "Ready":
            ready: Mapping[str, Any] = found
            return ready
    return {"type": "Ready", "status": "Unknown"}


def condition(status: str, reason: str = "", message: str = "") -> dict[str, str]:
    """Return a condition without its type; the message is cut to 1 KiB."""
    parts = {"status": status, "reason": reason, "message": _short(message)}
    return {key: value for key, value in parts.items() if value}


def _short(message: str) -> str:
    data = message.encode()
    if len(data) <= MESSAGE_BYTES:
        return message
    # The beginning says what failed, the end why.
    head = data[:200].decode(errors="ignore")
    tail = data[-(MESSAGE_BYTES - 210) :].decode(errors="ignore")
    return f"{head} ... {tail}"


def _with_times(
    conditions: Mapping[str, Mapping[str, str]], old_status: Mapping[str, Any]
) -> list[dict[str, Any]]:
    old = {item["type"]: item for item in old_status.get("conditions") or []}
    now = timestamp()
    timed = []
    for kind, new in conditions.items():
        before = old.get(kind) or {}
        same = before.get("status") == new["status"]
        time = before.get("lastTransitionTime", now) if same else now
        timed.append({"type": kind, **new, "lastTransitionTime": time})
    return timed
