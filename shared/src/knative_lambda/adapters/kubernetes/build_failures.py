"""Why a build does not start, or how it ended, read from its Pods, in words for a person; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from knative_lambda.adapters.kubernetes.build_pods import (
    age_key,
    condition,
    has_run,
    is_held_back,
    message_of,
    states,
    status_of,
)
from knative_lambda.domain.build import BuildFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_USER_MISTAKE = 1
# What a step reports when it is stopped, which says nothing about why.
_INTERRUPTED = "Interrupted"
_ON_ITS_WAY = {"", "PodInitializing", "ContainerCreating"}
# How the kubelet says that a variable of a container comes from a Secret that is not there.
_UNCONFIGURED = "CreateContainerConfigError"
_HOPELESS_IMAGE = {"InvalidImageName", "ErrImageNeverPull"}
_NO_IMAGE = _HOPELESS_IMAGE | {
    "ErrImagePull",
    "ImagePullBackOff",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_NOT_STARTED = {"StartError", "ContainerCannotRun", "ContainerCannotStart"}
_SMALLER = (
    "install fewer or smaller packages, or build the image elsewhere and deploy it by its digest"
)


def obstacle(pod: KubernetesObject) -> BuildFailure | None:
    """Return what keeps a Pod from starting; None while its image is being pulled."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "True":
        says = scheduled.get("message") or "no scheduler has looked at it"
        return BuildFailure(
            reason="BuildNotScheduled", message=f"no node takes the build: {says}", is_users=False
        )
    for step, state in states(pod):
        waiting = state.get("waiting") or {}
        reason = waiting.get("reason") or ""
        says = waiting.get("message") or reason
        if reason in _NO_IMAGE:
            return BuildFailure(
                reason="BuilderImageUnavailable",
                message=f"the builder's image is not available: {says}",
                is_users=False,
            )
        if reason == _UNCONFIGURED:
            return BuildFailure(
                reason="BuildNotStarted",
                message=(
                    "the Secret that opens the build's objects in storage is not there, which"
                    f" build-start makes right after the Job; deploy again: {says}"
                ),
                is_users=False,
            )
        if reason not in _ON_ITS_WAY:
            return BuildFailure(
                reason="BuildNotStarted",
                message=f"the step {step} cannot start: {reason}: {says}",
                is_users=False,
            )
    if condition(pod, "PodReadyToStartContainers").get("status") == "True":
        return None
    place, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    return BuildFailure(
        reason="BuildNotStarted",
        message=(
            "the build's volumes or its network are not there yet; "
            f"`kubectl -n {place} describe pod {name}` says more"
        ),
        is_users=False,
    )


def cannot_start(pod: KubernetesObject) -> bool:
    """Whether its image will never come, however long it waits."""
    reasons = {(state.get("waiting") or {}).get("reason") for _, state in states(pod)}
    return not reasons.isdisjoint(_HOPELESS_IMAGE)


def ending(pod: KubernetesObject) -> BuildFailure | None:
    """Return why a Pod failed, as the platform or its own steps say; None where neither does."""
    status = status_of(pod)
    if status.get("reason") == "Evicted":
        says = str(status.get("message") or "the node was short of something").strip()
        if condition(pod, "DisruptionTarget").get("status") == "True":
            return BuildFailure(
                reason="BuildEvicted", message=f"the node put the build out: {says}", is_users=False
            )
        return BuildFailure(
            reason="BuildOutOfDisk", message=f"{says} {_SMALLER.capitalize()}.", is_users=True
        )
    for step, terminated in _failed(pod):
        if terminated.get("reason") == "OOMKilled":
            return BuildFailure(
                reason="BuildOutOfMemory",
                message=(
                    f"the step {step} needed more memory than its limit{_memory_limit(pod, step)}; "
                    f"{_SMALLER}"
                ),
                is_users=True,
            )
        said = message_of(terminated)
        if "reason" in said:
            return BuildFailure(
                reason=_text(said["reason"]),
                message=_text(said.get("message", "")),
                is_users=terminated["exitCode"] == _USER_MISTAKE,
            )
    return None


def crash(pod: KubernetesObject) -> BuildFailure | None:
    """Return how a Pod failed for which Kubernetes gives no reason."""
    for step, terminated in _failed(pod):
        reason, says = terminated.get("reason") or "Error", _text(terminated.get("message") or "")
        if reason in _NOT_STARTED:
            return BuildFailure(
                reason="BuildNotStarted",
                message=f"the step {step} cannot start: {says or reason}",
                is_users=False,
            )
        code = terminated["exitCode"]
        return BuildFailure(
            reason="BuildCrashed",
            message=f"the build's step {step} ended with exit code {code} ({reason})",
            is_users=False,
        )
    status = status_of(pod)
    if status.get("phase") == "Failed" and status.get("message"):
        reason = status.get("reason") or "Failed"
        return BuildFailure(
            reason="BuildCrashed",
            message=f"the build's Pod failed: {reason}: {status['message']}",
            is_users=False,
        )
    return None


def lasting(pods: Sequence[KubernetesObject]) -> BuildFailure | None:
    """Return a failure that each attempt repeats: the build needs more than builds may have."""
    # In the order of the attempts, so that it is the same one each time.
    for pod in sorted(pods, key=age_key):
        failure = ending(pod)
        if failure is not None and failure.reason in {"BuildOutOfMemory", "BuildOutOfDisk"}:
            return failure
    return None


def out_of_time(pods: Sequence[KubernetesObject], *, had_pod: bool, limit: int) -> BuildFailure:
    """Return why a Job's deadline came before its end."""
    attempts = sorted(pods, key=age_key)
    said = [failure for failure in map(ending, attempts) if _explains(failure)]
    if not attempts:
        gone = "; its Pod is gone, and may never have started"
        return _timeout(gone, said, limit) if had_pod else not_admitted()
    latest = attempts[-1]
    own = ending(latest)
    if own is not None and own in said:
        return own
    if has_run(latest):
        step = _step(latest)
        return _timeout(f"; it was at the step {step}" if step else "", said, limit)
    if is_held_back(latest):
        return not_admitted()
    pulling = BuildFailure(
        reason="BuildNotStarted",
        message="the builder's image was still being pulled",
        is_users=False,
    )
    return obstacle(latest) or pulling


def _timeout(where: str, said: Sequence[BuildFailure], limit: int) -> BuildFailure:
    text = f"the build took longer than the {limit} seconds that this installation allows{where}"
    if said:
        text += f". An attempt before: {said[-1].reason}: {said[-1].message}"
    return BuildFailure(reason="BuildTimeout", message=text, is_users=True)


def not_admitted() -> BuildFailure:
    """Return the failure of a Job that had no Pod that could start in all its time."""
    return BuildFailure(
        reason="BuildNotAdmitted",
        message=(
            "the build waited for room until its time was over: other builds used up the quota, "
            "or Kubernetes takes no Pod of it; deploy again"
        ),
        is_users=False,
    )


def _explains(failure: BuildFailure | None) -> TypeGuard[BuildFailure]:
    return failure is not None and failure.reason != _INTERRUPTED


def _failed(pod: KubernetesObject) -> Iterator[tuple[str, dict[str, Any]]]:
    for step, state in states(pod):
        terminated = state.get("terminated")
        if terminated and terminated["exitCode"] != 0:
            yield step, terminated


def _step(pod: KubernetesObject) -> str | None:
    """Return the step that a Pod is at, or was at when it was stopped."""
    for step, state in states(pod):
        if (state.get("terminated") or {}).get("exitCode") != 0:
            return step
    return None


def _memory_limit(pod: KubernetesObject, step: str) -> str:
    spec = pod.get("spec") or {}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
        if container["name"] == step and limit:
            return f" of {limit}"
    return ""


def _text(said: object) -> str:
    """Return what a container reported, as text that can be stored and sent on."""
    return str(said).encode(errors="replace").decode()
