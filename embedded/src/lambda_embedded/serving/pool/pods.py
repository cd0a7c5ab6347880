"""The pods of all revisions: one for each running process, and the last finished one."""

from __future__ import annotations

import contextlib
import re
import secrets
from typing import TYPE_CHECKING, Any

from lambda_embedded.serving.ownership import REVISION_LABEL, owner_reference, owner_uid
from lambda_embedded.serving.pool.pod import CONTAINER, LambdaPod
from lambda_embedded.store.objects import NotFoundError
from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambda_embedded.store.objects import KubernetesObject, Objects

_POD_NAME = re.compile(r"-\d{5}-[0-9a-f]{8}$")


class LambdaPods:
    """The pods of all revisions."""

    def __init__(self, objects: Objects, data_folder: Path) -> None:
        self._objects = objects
        self._folder = data_folder / "pods"
        self._living: dict[Path, LambdaPod] = {}

    def new(self, revision: KubernetesObject) -> LambdaPod:
        """Return a new pod of a revision; it is stored once its process is started."""
        metadata = revision["metadata"]
        name = f"{metadata['name']}-{secrets.token_hex(4)}"
        item = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {**metadata["labels"], REVISION_LABEL: metadata["name"]},
                "annotations": metadata.get("annotations") or {},
                "ownerReferences": [owner_reference("Revision", revision)],
            },
            "spec": _pod_spec(revision["spec"]),
        }
        pod = LambdaPod(self._objects, self._folder / metadata["namespace"] / name, item)
        self._living = {path: old for path, old in self._living.items() if not old.is_finished}
        self._living[pod.folder] = pod
        return pod

    def take_over(self) -> None:
        """Mark the pods of an earlier platform as finished, and remove logs without a pod."""
        known = set()
        for item in self._objects.list("Pod"):
            if REVISION_LABEL in (item["metadata"].get("labels") or {}):
                folder = self._folder_of(item)
                known.add(folder)
                if not _is_finished(item):
                    LambdaPod(self._objects, folder, item).finished()
        for folder in self._folder.glob("*/*"):
            if _POD_NAME.search(folder.name) and folder not in known:
                remove_folder(folder)

    def keep_newest_finished(self, revision: KubernetesObject) -> None:
        """Remove all but the last finished pod of a revision, with their logs."""
        finished = [item for item in self._of(revision) if _is_finished(item)]
        finished.sort(key=lambda item: int(item["metadata"]["resourceVersion"]))
        for item in finished[:-1]:
            self._remove(item)

    def remove_revision(self, revision: KubernetesObject) -> None:
        """Remove all pods of a revision, with their logs."""
        for item in self._of(revision):
            self._remove(item)

    def forget(self, item: KubernetesObject) -> None:
        """Remove the log of a pod that somebody deleted, unless its process still runs."""
        living = self._living.get(self._folder_of(item))
        if REVISION_LABEL in (item["metadata"].get("labels") or {}) and (
            living is None or living.is_finished
        ):
            remove_folder(self._folder_of(item))

    def _of(self, revision: KubernetesObject) -> list[KubernetesObject]:
        metadata = revision["metadata"]
        labels = {REVISION_LABEL: metadata["name"]}
        pods = self._objects.list("Pod", metadata["namespace"], labels=labels)
        # A Service that was deleted and made again has revisions of the same names.
        return [item for item in pods if owner_uid(item) == metadata["uid"]]

    def _remove(self, item: KubernetesObject) -> None:
        metadata = item["metadata"]
        with contextlib.suppress(NotFoundError):
            self._objects.delete("Pod", metadata["namespace"], metadata["name"])
        remove_folder(self._folder_of(item))

    def _folder_of(self, item: KubernetesObject) -> Path:
        namespace: str = item["metadata"]["namespace"]
        name: str = item["metadata"]["name"]
        return self._folder / namespace / name


def _pod_spec(revision_spec: Mapping[str, Any]) -> dict[str, Any]:
    spec = dict(revision_spec)
    containers = [dict(container) for container in spec.get("containers") or [{}]]
    containers[0]["name"] = CONTAINER
    return {**spec, "containers": containers}


def _is_finished(item: KubernetesObject) -> bool:
    return (item.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
