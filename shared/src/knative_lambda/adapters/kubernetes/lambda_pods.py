"""What keeps the Pods of a lambda from starting; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.deployment import ServiceState

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_CONTAINER = "user-container"
# What Knative itself will call it.
_REASON = "RevisionFailed"
# Of these the kubelet tries again for ever, and nothing gets better before somebody does something.
_LASTING = {
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
}


def obstacle(pod: KubernetesObject) -> ServiceState | None:
    """A failure of the lambda's own container that the next start will meet too."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    for status in statuses:
        if status["name"] == _CONTAINER:
            return _crash(status) or _refusal(status.get("state") or {})
    return None


def _crash(status: dict[str, Any]) -> ServiceState | None:
    """Ended twice: once may be a database that was late."""
    before = (status.get("lastState") or {}).get("terminated")
    if before is None or "running" in (status.get("state") or {}):
        return None
    said = (before.get("message") or "").strip() or before.get("reason") or "it said nothing"
    code = before.get("exitCode")
    return _failed(f"the function ended with exit code {code}: {said}")


def _refusal(state: dict[str, Any]) -> ServiceState | None:
    waiting = state.get("waiting") or {}
    reason = waiting.get("reason") or ""
    if reason not in _LASTING:
        return None
    return _failed(f"{reason}: {waiting.get('message') or 'the function cannot start'}")


def _failed(message: str) -> ServiceState:
    return ServiceState(ready=False, failure_reason=_REASON, failure_message=message)
