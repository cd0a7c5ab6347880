"""What the Pods of a lambda add to what Knative reports; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.deployment import ServiceState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_CONTAINER = "user-container"
# The reason that Knative will give itself.
_REASON = "RevisionFailed"
# The kubelet retries these for ever, and nothing gets better before somebody does something.
_LASTING = {
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
}


def state_with_pods(state: ServiceState, pods: Sequence[KubernetesObject]) -> ServiceState:
    """Return whether it failed, and since when a Pod has been starting where one may still succeed.

    Knative may not report a lasting obstacle for ten minutes, its progress deadline. A Pod
    without a node it reports as failed at once, until the Pod is ready.
    """
    obstacle = next(filter(None, map(_obstacle, pods)), None)
    if obstacle is not None or not state.failed or all(map(_is_over, pods)):
        return obstacle or state
    # The first of them: a Pod that is evicted again and again must not wait for ever.
    since = min(pod["metadata"]["creationTimestamp"] for pod in pods)
    return replace(state, pending_since=datetime.fromisoformat(since))


def _is_over(pod: KubernetesObject) -> bool:
    """Whether it ended for good; a ReplicaSet replaces one that did."""
    owners = pod["metadata"].get("ownerReferences") or ()
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Failed", "Succeeded"} and not any(
        owner["kind"] == "ReplicaSet" for owner in owners
    )


def _obstacle(pod: KubernetesObject) -> ServiceState | None:
    """Return a failure of the lambda's own container that the next start will repeat."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    for status in statuses:
        if status["name"] == _CONTAINER:
            return _crash(status) or _start_error(status.get("state") or {})
    return None


def _crash(status: dict[str, Any]) -> ServiceState | None:
    """Return a failure if it ended twice: once may be due to a database that was late."""
    before = (status.get("lastState") or {}).get("terminated")
    if before is None or "running" in (status.get("state") or {}):
        return None
    said = (before.get("message") or "").strip() or before.get("reason") or "it said nothing"
    code = before.get("exitCode")
    return _failed(f"the function ended with exit code {code}: {said}")


def _start_error(state: dict[str, Any]) -> ServiceState | None:
    waiting = state.get("waiting") or {}
    reason = waiting.get("reason") or ""
    if reason not in _LASTING:
        return None
    return _failed(f"{reason}: {waiting.get('message') or 'the function cannot start'}")


def _failed(message: str) -> ServiceState:
    return ServiceState(ready=False, failure_reason=_REASON, failure_message=message)
