"""The status of one pod as its kubelet writes it, stored at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.jobs.pod_object import scheduled
from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from lambda_embedded.store.objects import KubernetesObject, Objects

_KILLED = 137
_INITIALIZING = "PodInitializing"


class PodRecord:
    """Writes what happens to a pod; `NotFoundError` from any method when the pod was deleted."""

    def __init__(self, objects: Objects, pod: KubernetesObject) -> None:
        self._objects = objects
        self._namespace: str = pod["metadata"]["namespace"]
        self._name: str = pod["metadata"]["name"]
        self._pod_facts: dict[str, Any] = {
            "phase": "Pending",
            "startTime": timestamp(),
            "conditions": [scheduled(gated=False)],
        }
        spec = pod["spec"]
        self._init = {item["name"]: _waiting(item) for item in spec.get("initContainers") or []}
        self._main = {item["name"]: _waiting(item) for item in spec["containers"]}

    def running(self, container: str) -> None:
        """Record that a container's process has started."""
        status = self._of(container)
        status["state"] = {"running": {"startedAt": timestamp()}}
        status["started"] = status["ready"] = True
        self._pod_facts["phase"] = "Running" if container in self._main else "Pending"
        self._save()

    def waits_for_configuration(self, container: str, message: str) -> None:
        """Record what a container's variables lack."""
        waiting = {"reason": "CreateContainerConfigError", "message": message}
        self._of(container)["state"] = {"waiting": waiting}
        self._save()

    def waits_for_turn(self) -> None:
        """Record that nothing is lacking any more but a place on this machine."""
        for status in (*self._init.values(), *self._main.values()):
            status["state"] = {"waiting": {"reason": _INITIALIZING}}
        self._pod_facts["conditions"] = [scheduled(gated=True)]
        self._save()

    def terminated(self, container: str, exit_code: int, reason: str, message: str) -> None:
        """Record that a container ended, or could not be started."""
        status = self._of(container)
        now = timestamp()
        running = status["state"].get("running") or {}
        terminated = {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": running.get("startedAt", now),
            "finishedAt": now,
        }
        status["state"] = {"terminated": terminated | ({"message": message} if message else {})}
        status["started"] = False
        status["ready"] = container in self._init and exit_code == 0
        self._save()

    def finished(self, phase: str, *, reason: str = "", message: str = "") -> KubernetesObject:
        """Record that the pod finished; containers that still ran were killed."""
        for status in (*self._init.values(), *self._main.values()):
            if running := status["state"].get("running"):
                terminated = {"exitCode": _KILLED, "reason": "Error", "finishedAt": timestamp()}
                status["state"] = {"terminated": {**terminated, **running}}
                status["ready"] = status["started"] = False
        self._pod_facts["phase"] = phase
        if reason:
            self._pod_facts |= {"reason": reason, "message": message}
        return self._save()

    def _of(self, container: str) -> dict[str, Any]:
        return self._init[container] if container in self._init else self._main[container]

    def _save(self) -> KubernetesObject:
        status = dict(self._pod_facts)
        if self._init:
            status["initContainerStatuses"] = list(self._init.values())
        status["containerStatuses"] = list(self._main.values())
        return self._objects.update_status("Pod", self._namespace, self._name, status)


def interrupt(objects: Objects, pod: KubernetesObject, *, reason: str, message: str) -> None:
    """Mark a pod whose processes are gone as failed, whatever its phase."""
    status = dict(pod["status"])
    for field in ("initContainerStatuses", "containerStatuses"):
        status[field] = [_interrupted(item) for item in status.get(field) or []]
    status |= {"phase": "Failed", "reason": reason, "message": message}
    metadata = pod["metadata"]
    objects.update_status("Pod", metadata["namespace"], metadata["name"], status)


def _interrupted(status: dict[str, Any]) -> dict[str, Any]:
    running = status["state"].get("running")
    if not running:
        return status
    ended = {"exitCode": _KILLED, "reason": "Error", "finishedAt": timestamp(), **running}
    return {**status, "ready": False, "started": False, "state": {"terminated": ended}}


def _waiting(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "lastState": {},
        "state": {"waiting": {"reason": _INITIALIZING}},
    }
