"""The status of a Job, derived from its pods by pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lambda_embedded.jobs.pod_failure_policy import policy_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_embedded.store.objects import KubernetesObject

_DEFAULT_BACKOFF_LIMIT = 6
_UNFINISHED = frozenset({"Pending", "Running"})


@dataclass(frozen=True, slots=True)
class JobEnd:
    """Why a Job finished, as its last condition says."""

    type: Literal["Complete", "Failed"]
    reason: str
    message: str


DEADLINE_EXCEEDED = JobEnd(
    "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
)


def is_finished(job: KubernetesObject) -> bool:
    """Whether a Job is Complete or Failed; it then never runs again."""
    return any(
        condition["type"] in {"Complete", "Failed"} and condition["status"] == "True"
        for condition in (job.get("status") or {}).get("conditions") or []
    )


def counted_failures(job: KubernetesObject, pods: Sequence[KubernetesObject]) -> int:
    """Return how many failed pods count against the backoff limit."""
    return sum(
        1
        for pod in pods
        if pod["status"]["phase"] == "Failed" and policy_for(job, pod).action != "Ignore"
    )


def judge(job: KubernetesObject, pods: Sequence[KubernetesObject]) -> JobEnd | None:
    """Return how the Job finished, or None when it needs another pod."""
    succeeded = sum(pod["status"]["phase"] == "Succeeded" for pod in pods)
    if succeeded >= job["spec"].get("completions", 1):
        return JobEnd("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    for pod in pods:
        if pod["status"]["phase"] == "Failed":
            policy = policy_for(job, pod)
            if policy.action == "FailJob":
                return JobEnd("Failed", "PodFailurePolicy", policy.message)
    limit = job["spec"].get("backoffLimit", _DEFAULT_BACKOFF_LIMIT)
    if counted_failures(job, pods) > limit:
        message = "Job has reached the specified backoff limit"
        return JobEnd("Failed", "BackoffLimitExceeded", message)
    return None


def active_status(
    job: KubernetesObject, pods: Sequence[KubernetesObject], now: str
) -> dict[str, Any]:
    """Return the status of a Job that has not finished."""
    old = job.get("status") or {}
    status = _counts(job, pods)
    status["active"] = sum(pod["status"]["phase"] in _UNFINISHED for pod in pods)
    status["startTime"] = old.get("startTime") or now
    resumed = [
        {**condition, "status": "False", "reason": "JobResumed", "message": "Job resumed"}
        for condition in old.get("conditions") or []
        if condition["type"] == "Suspended"
    ]
    return status | ({"conditions": resumed} if resumed else {})


def finished_status(
    job: KubernetesObject, pods: Sequence[KubernetesObject], end: JobEnd, now: str
) -> dict[str, Any]:
    """Return the status of a finished Job; pods that still run count as failed."""
    status = _counts(job, pods)
    if unfinished := sum(pod["status"]["phase"] in _UNFINISHED for pod in pods):
        status["failed"] = status.get("failed", 0) + unfinished
    status["startTime"] = (job.get("status") or {}).get("startTime") or now
    if end.type == "Complete":
        status["completionTime"] = now
    # Kubernetes reports the outcome once before the pods are gone and once after.
    target = "SuccessCriteriaMet" if end.type == "Complete" else "FailureTarget"
    status["conditions"] = [
        _condition(kind, end.reason, end.message, now) for kind in (target, end.type)
    ]
    return status


def suspended_status(
    job: KubernetesObject, pods: Sequence[KubernetesObject], now: str
) -> dict[str, Any]:
    """Return the status of a Job that waits to be resumed; its deadline starts anew."""
    condition = _condition("Suspended", "JobSuspended", "Job suspended", now)
    return _counts(job, pods) | {"conditions": [condition]}


def _counts(job: KubernetesObject, pods: Sequence[KubernetesObject]) -> dict[str, Any]:
    succeeded = sum(pod["status"]["phase"] == "Succeeded" for pod in pods)
    failed = counted_failures(job, pods)
    counts = {"succeeded": succeeded, "failed": failed}
    return {name: count for name, count in counts.items() if count} | {
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }


def _condition(kind: str, reason: str, message: str, now: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": now,
        "lastTransitionTime": now,
    }
