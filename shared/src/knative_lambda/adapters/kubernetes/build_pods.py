"""How far the Pods of a build Job are, and what they left behind; pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_GATED = "SchedulingGated"


def newest(pods: Sequence[KubernetesObject]) -> KubernetesObject | None:
    """Return the Pod of the latest attempt."""
    return max(pods, key=age_key, default=None)


def has_started(pod: KubernetesObject) -> bool:
    """Whether a container of it has run, or it ended without."""
    return has_run(pod) or status_of(pod).get("phase") in {"Running", "Succeeded", "Failed"}


def is_held_back(pod: KubernetesObject) -> bool:
    """Whether somebody, such as a queue of Jobs, wants the scheduler to wait."""
    return condition(pod, "PodScheduled").get("reason") == _GATED


def digest(pod: KubernetesObject | None) -> str | None:
    """Return the image's digest from what `publish` left behind."""
    found = published(pod)
    return None if found is None else found[0]  # the Pod is gone: the image is found by its tag


def published(pod: KubernetesObject | None) -> tuple[str, str] | None:
    """Return digest and time of the image, once `publish` has succeeded."""
    # From no other container: users' code can run in `build` and write a message there.
    for step, state in states(pod or {}):
        ended = state.get("terminated") or {}
        found = message_of(ended).get("digest")
        if step == "publish" and isinstance(found, str) and _DIGEST.fullmatch(found):
            return found, ended.get("finishedAt") or (pod or {})["metadata"]["creationTimestamp"]
    return None


def age_key(pod: KubernetesObject) -> tuple[str, int]:
    """Sort Pods by their age, the oldest first."""
    metadata = pod["metadata"]
    return metadata["creationTimestamp"], int(metadata["resourceVersion"])


def status_of(pod: KubernetesObject) -> dict[str, Any]:
    """Return what the kubelet reports; nothing at first."""
    status: dict[str, Any] = pod.get("status") or {}
    return status


def condition(pod: KubernetesObject, type_: str) -> dict[str, Any]:
    """Return a condition of the Pod; empty where nobody has set it."""
    conditions = status_of(pod).get("conditions") or ()
    return next((each for each in conditions if each["type"] == type_), {})


def states(pod: KubernetesObject) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Pod's containers and their states, in the order in which they run."""
    for statuses in ("initContainerStatuses", "containerStatuses"):
        for status in status_of(pod).get(statuses) or ():
            yield status["name"], status.get("state") or {}


def has_run(pod: KubernetesObject) -> bool:
    """Whether a container of it runs or ran."""
    return any("running" in state or "terminated" in state for _, state in states(pod))


def message_of(terminated: dict[str, Any]) -> dict[str, Any]:
    """Return the object that a step left as its termination message; empty where it left none."""
    try:
        message = json.loads(terminated.get("message") or "")
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
