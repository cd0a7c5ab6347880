"""`podFailurePolicy` of a Job: what a failed pod means, by its exit codes and conditions; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_embedded.store.objects import KubernetesObject

PLATFORM_RESTARTED = "PlatformRestarted"
"""Reason of a pod that ended because the platform did, which does not count as a failure."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`FailJob`, `Ignore` or `Count`, and the container and rule that led to it."""

    action: str
    message: str = ""


def policy_for(job: KubernetesObject, pod: KubernetesObject) -> Policy:
    """Return the action of the first rule that matches; `Count` when none does."""
    if pod["status"].get("reason") == PLATFORM_RESTARTED:
        return Policy("Ignore")
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or []
    for index, rule in enumerate(rules):
        reason = _matching_exit_code(rule, pod) or _matching_condition(rule, pod)
        if reason:
            metadata = pod["metadata"]
            name = f"{metadata['namespace']}/{metadata['name']}"
            action = rule["action"]
            return Policy(action, f"{reason[0]} for pod {name} {reason[1]} matching {action} "
                          f"rule at index {index}")  # fmt: skip
    return Policy("Count")


def _matching_exit_code(rule: Mapping[str, Any], pod: KubernetesObject) -> tuple[str, str] | None:
    wanted = rule.get("onExitCodes")
    if not wanted:
        return None
    for name, exit_code in _failed_containers(pod):
        if wanted.get("containerName") not in {None, name}:
            continue
        if (exit_code in wanted["values"]) == (wanted["operator"] == "In"):
            return f"Container {name}", f"failed with exit code {exit_code}"
    return None


def _matching_condition(rule: Mapping[str, Any], pod: KubernetesObject) -> tuple[str, str] | None:
    own = {item["type"]: item["status"] for item in pod["status"].get("conditions") or []}
    for wanted in rule.get("onPodConditions") or []:
        if own.get(wanted["type"]) == wanted.get("status", "True"):
            return "Condition", f"has condition {wanted['type']}"
    return None


def _failed_containers(pod: KubernetesObject) -> Iterator[tuple[str, int]]:
    status = pod["status"]
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or []:
            exit_code = (container["state"].get("terminated") or {}).get("exitCode", 0)
            if exit_code != 0:
                yield container["name"], exit_code
