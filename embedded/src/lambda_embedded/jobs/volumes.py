"""A pod's folder: its volumes, and the translation of container paths to places in it."""

from __future__ import annotations

import base64
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.store.objects import KubernetesObject, Objects

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


class VolumeError(Exception):
    """A volume cannot be created here; the message names it."""


class PodFolder:
    """The folder of one pod; nothing of it is left after `remove`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, objects: Objects, pod: KubernetesObject) -> None:
        """Create the folder anew, with every volume of the pod."""
        self.remove()
        for folder in (
            self.root,
            self._termination_folder,
            self.temporary_folder,
            self.result_folder,
        ):
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True)
        for volume in pod["spec"].get("volumes") or []:
            folder = self._volume(volume["name"])
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True)
            _fill(folder, volume, objects, pod["metadata"]["namespace"])

    def remove(self) -> None:
        """Remove the folder, including what its processes made read-only."""
        remove_folder(self.root)

    @property
    def temporary_folder(self) -> Path:
        """The `TMPDIR` of the containers."""
        return self.root / "tmp"

    @property
    def result_folder(self) -> Path:
        """Where the containers write what they leave in storage."""
        return self.root / "leaves"

    def termination_message_file(self, container: str) -> Path:
        """Return where a container writes its termination message."""
        return self._termination_folder / container

    def places(self, container: Mapping[str, Any]) -> dict[PurePosixPath, Path]:
        """Return places of this machine by the container's own paths."""
        places = {
            PurePosixPath(mount["mountPath"]): self._volume(mount["name"])
            / mount.get("subPath", "")
            for mount in container.get("volumeMounts") or []
        }
        path = container.get("terminationMessagePath") or "/dev/termination-log"
        places[PurePosixPath(path)] = self.termination_message_file(container["name"])
        return places

    @property
    def _termination_folder(self) -> Path:
        return self.root / "termination"

    def _volume(self, name: str) -> Path:
        return self.root / "volumes" / name


def translate(value: str, places: Mapping[PurePosixPath, Path]) -> str:
    """Return the place of a path at or below one of `places`; other text unchanged."""
    if not value.startswith("/"):
        return value
    path = PurePosixPath(value)
    if ".." in path.parts:
        return value
    for mount in sorted(places, key=lambda place: len(place.parts), reverse=True):
        if path.is_relative_to(mount):
            return str(places[mount] / path.relative_to(mount))
    return value


def _fill(folder: Path, volume: Mapping[str, Any], objects: Objects, namespace: str) -> None:
    match volume:
        case {"emptyDir": _}:
            return
        case {"secret": source}:
            _write_files(folder, objects, ("Secret", namespace, source["secretName"]), source)
        case {"configMap": source}:
            _write_files(folder, objects, ("ConfigMap", namespace, source["name"]), source)
        case {"projected": {"sources": sources}}:
            for source in sources:
                _fill(folder, _as_volume(volume["name"], source), objects, namespace)
        case _:
            raise VolumeError(
                f"volume {volume['name']}: the embedded platform supports emptyDir, secret, "
                "configMap and projections of these"
            )


def _as_volume(name: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source of a projection as a volume, which names its Secret by `secretName`."""
    renamed = {
        kind: {**fields, "secretName": fields.get("name")} if kind == "secret" else fields
        for kind, fields in source.items()
    }
    return {"name": name, **renamed}


def _write_files(
    folder: Path, objects: Objects, identity: tuple[str, str, str], source: Mapping[str, Any]
) -> None:
    kind, namespace, name = identity
    optional = source.get("optional", False)
    found = objects.find(kind, namespace, name)
    if found is None:
        if optional:
            return
        raise VolumeError(f"{kind} {namespace}/{name} does not exist; create it and build again")
    data = _contents(kind, found)
    for item in source.get("items") or [{"key": key, "path": key} for key in data]:
        if item["key"] in data:
            _write_private(folder, item["path"], data[item["key"]])
        elif not optional:
            raise VolumeError(f"{kind} {namespace}/{name} has no key {item['key']!r}")


def _contents(kind: str, found: KubernetesObject) -> dict[str, bytes]:
    data: dict[str, str] = found.get("data") or {}
    if kind == "ConfigMap":
        return {key: text.encode() for key, text in data.items()}
    plain: dict[str, str] = found.get("stringData") or {}
    decoded = {key: base64.b64decode(text) for key, text in data.items()}
    return decoded | {key: text.encode() for key, text in plain.items()}


def _write_private(folder: Path, path: str, content: bytes) -> None:
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise VolumeError(f"the path {path!r} leads out of its volume")
    target = folder / path
    target.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
