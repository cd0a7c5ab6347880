"""What the Pods of a lambda add to what Knative says of it; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.deployment import ServiceState

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def state_with_pods(state: ServiceState, pods: Sequence[KubernetesObject]) -> ServiceState:
    """Whether it failed, and since when a Pod has been about to start where one may still.

    Of an obstacle that will not pass Knative may say nothing for ten minutes, its progress
    deadline; of a Pod without a node it says at once that it failed, until it is ready.
    """
    obstacle = next(filter(None, map(_obstacle, pods)), None)
    if obstacle is not None or not state.failed or all(map(_is_over, pods)):
        return obstacle or state
    # The first of them: a Pod that is put out again and again must not wait for ever.
    since = min(pod["metadata"]["creationTimestamp"] for pod in pods)
    return replace(state, pending_since=datetime.fromisoformat(since))


def _is_over(pod: KubernetesObject) -> bool:
    """Whether it ended for good; a ReplicaSet puts another in the place of one that did."""
    owners = pod["metadata"].get("ownerReferences") or ()
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Failed", "Succeeded"} and not any(
        owner["kind"] == "ReplicaSet" for owner in owners
    )


def _obstacle(pod: KubernetesObject) -> ServiceState | None:
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
