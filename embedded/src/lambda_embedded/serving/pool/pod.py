"""One Pod object and its log folder, as a kubelet would show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.store.objects import AlreadyExistsError, NotFoundError
from lambda_embedded.store.timestamps import timestamp
from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambda_embedded.store.objects import KubernetesObject, Objects

CONTAINER = "user-container"
_MESSAGE_BYTES = 1024


class LambdaPod:
    """One pod: successive processes of a revision until it is stopped for good."""

    def __init__(self, objects: Objects, folder: Path, item: KubernetesObject) -> None:
        self._objects = objects
        self._item = item
        self._restarts = -1
        self._is_deleted = False
        self.is_finished = False
        self.folder = folder

    @property
    def name(self) -> str:
        """The pod's name."""
        name: str = self._item["metadata"]["name"]
        return name

    @property
    def log_file(self) -> Path:
        """Where the container's output goes."""
        return self.folder / f"{CONTAINER}.log"

    def make_home(self) -> tuple[Path, Path]:
        """Make the home and the temporary folder of the process."""
        home, temporary = self.folder / "home", self.folder / "tmp"
        home.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(parents=True, exist_ok=True)
        return home, temporary

    def started(self) -> None:
        """Note that a process was started and is not ready yet."""
        self._restarts += 1
        self._write("Running", {"running": {"startedAt": timestamp()}})

    def ready(self) -> None:
        """Note that the process is ready."""
        self._write("Running", {"running": {"startedAt": timestamp()}}, ready=True)

    def crashed(self, returncode: int | None, message: str, *, looping: bool) -> None:
        """Note that the process ended by itself, and whether it keeps doing so."""
        terminated = _terminated(returncode, "Error", message)
        if looping:
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": _short(message)}}
            self._write("Running", state, last_state=terminated)
        else:
            self._write("Running", terminated)

    def finished(self, *, failed: bool = False, message: str = "") -> None:
        """Note that no further process will be started in this pod; its log stays."""
        for scratch in ("home", "tmp"):
            remove_folder(self.folder / scratch)
        phase, reason = ("Failed", "Error") if failed else ("Succeeded", "Completed")
        self._write(phase, _terminated(None if failed else 0, reason, message))
        self.is_finished = True
        if self._is_deleted:
            remove_folder(self.folder)

    def _write(
        self,
        phase: str,
        state: Mapping[str, Any],
        *,
        ready: bool = False,
        last_state: Mapping[str, Any] | None = None,
    ) -> None:
        containers = self._item["spec"].get("containers") or [{}]
        container = {
            "name": CONTAINER,
            "image": containers[0].get("image", ""),
            "ready": ready,
            "restartCount": max(self._restarts, 0),
            "state": dict(state),
            "lastState": dict(last_state or {}),
        }
        self._item["status"] = {
            "phase": phase,
            "podIP": "127.0.0.1",
            "startTime": self._item.get("status", {}).get("startTime") or timestamp(),
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [container],
        }
        self._store()

    def _store(self) -> None:
        metadata = self._item["metadata"]
        try:
            if "uid" in metadata:
                self._objects.update_status(
                    "Pod", metadata["namespace"], metadata["name"], self._item["status"]
                )
            else:
                self._item = self._objects.create("Pod", self._item)
        except (NotFoundError, AlreadyExistsError):
            # The Service, and with it the pod, has been deleted.
            self._is_deleted = True


def _terminated(returncode: int | None, reason: str, message: str) -> dict[str, Any]:
    code = 1 if returncode is None else returncode
    # A shell and Kubernetes both count a signal as 128 + its number.
    exit_code = 128 - code if code < 0 else code
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "message": _short(message),
            "finishedAt": timestamp(),
        }
    }


def _short(message: str) -> str:
    return message.encode()[-_MESSAGE_BYTES:].decode(errors="ignore")
