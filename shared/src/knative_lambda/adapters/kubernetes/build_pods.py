"""How far the Pods of a build Job are, and what they left behind; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_GATED = "SchedulingGated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Success:
    """The end of a Pod that did all it had to."""

    finished_at: str
    digest: str | None = None
    """Of the image, which Pods of an older version pushed."""
    pinned: bool = False


def newest(pods: Sequence[KubernetesObject]) -> KubernetesObject | None:
    """Return the Pod of the latest attempt."""
    return max(pods, key=age_key, default=None)


def has_started(pod: KubernetesObject) -> bool:
    """Whether a container of it has run, or it ended without."""
    return has_run(pod) or status_of(pod).get("phase") in {"Running", "Succeeded", "Failed"}


def is_held_back(pod: KubernetesObject) -> bool:
    """Whether somebody, such as a queue of Jobs, wants the scheduler to wait."""
    return condition(pod, "PodScheduled").get("reason") == _GATED


def success(pod: KubernetesObject | None) -> Success | None:
    """Return how a Pod succeeded; None for one that did not, or that is gone."""
    if pod is None:
        return None
    for status in status_of(pod).get("containerStatuses") or ():
        ended = (status.get("state") or {}).get("terminated")
        if ended is None:
            continue
        finished = ended.get("finishedAt") or pod["metadata"]["creationTimestamp"]
        message = message_of(ended)
        if status["name"] == "build" and ended["exitCode"] == 0:
            return Success(finished_at=finished, pinned=message.get("pinned") is True)
        # In a Pod of an older version, `build` came before, and foreign code could write there.
        digest = message.get("digest")
        if status["name"] == "publish" and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return Success(finished_at=finished, digest=digest)
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
