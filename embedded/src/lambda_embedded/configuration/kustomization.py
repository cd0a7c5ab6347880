"""Reads a kustomization: the part of kustomize that `config/` uses, without kustomize.

An unsupported field is an error, never ignored: the embedded platform must run what a cluster
would get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from lambda_embedded.configuration.patches import apply_patches
from lambda_embedded.configuration.transforms import add_labels, set_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_embedded.store.objects import KubernetesObject

_FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# `images` names what a cluster pulls; here the functions run from their folders.
_WITHOUT_EFFECT = frozenset(
    {"apiVersion", "kind", "metadata", "generatorOptions", "sortOptions", "images", "buildMetadata"}
)
_UNDERSTOOD = frozenset(
    {
        "resources", "components", "namespace", "labels", "commonLabels", "commonAnnotations",
        "configMapGenerator", "patches",
    }
)  # fmt: skip


class KustomizationError(Exception):
    """The configuration cannot be read; the message names the file and the field."""


def read_kustomization(folder: Path) -> list[KubernetesObject]:
    """All objects of a kustomization folder, in the order in which they are named."""
    return _read(folder.resolve(), [], ())


def read_components(folders: Iterable[Path], *, namespace: str) -> list[KubernetesObject]:
    """All objects of a kustomization that has nothing but these components and a namespace."""
    items: list[KubernetesObject] = []
    for folder in folders:
        items = _read(folder.resolve(), items, ())
    set_namespace(items, namespace)
    return items


def _read(
    folder: Path, inherited: list[KubernetesObject], path: tuple[Path, ...]
) -> list[KubernetesObject]:
    """Read one folder; a component changes and extends the objects that it is given."""
    if folder in path:
        raise KustomizationError(f"{folder}: a kustomization that includes itself")
    file = _kustomization_file(folder)
    fields = _load_fields(file)
    items = list(inherited)
    for name in _list(fields, "resources", file):
        items += _resources(folder, str(name), file, (*path, folder))
    _reject_duplicates(items, file)
    for fields_of_map in _list(fields, "configMapGenerator", file):
        _generate_config_map(items, fields_of_map, folder, file)
    for name in _list(fields, "components", file):
        items = _read((folder / str(name)).resolve(), items, (*path, folder))
    try:
        _transform(items, fields, folder)
    except (KeyError, TypeError, ValueError, OSError, yaml.YAMLError) as error:
        raise KustomizationError(f"{file}: {error}") from error
    _reject_duplicates(items, file)
    return items


def _transform(items: list[KubernetesObject], fields: dict[str, Any], folder: Path) -> None:
    apply_patches(items, fields.get("patches") or [], folder)
    if namespace := fields.get("namespace"):
        set_namespace(items, str(namespace))
    add_labels(items, fields)


def _kustomization_file(folder: Path) -> Path:
    for name in _FILE_NAMES:
        if (folder / name).is_file():
            return folder / name
    raise KustomizationError(f"{folder}: no kustomization.yaml")


def _load_fields(file: Path) -> dict[str, Any]:
    try:
        fields = yaml.load(file.read_text(), yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise KustomizationError(f"{file}: {error}") from error
    if not isinstance(fields, dict):
        raise KustomizationError(f"{file}: not a kustomization")
    unknown = sorted(set(fields) - _UNDERSTOOD - _WITHOUT_EFFECT)
    if unknown:
        raise KustomizationError(
            f"{file}: the embedded platform does not support {', '.join(unknown)}"
        )
    return fields


def _list(fields: dict[str, Any], name: str, file: Path) -> list[Any]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise KustomizationError(f"{file}: {name} must be a list")
    return value


def _resources(
    folder: Path, name: str, file: Path, path: tuple[Path, ...]
) -> list[KubernetesObject]:
    if "://" in name:
        raise KustomizationError(f"{file}: resources from the network are not supported: {name}")
    target = (folder / name).resolve()
    return _read(target, [], path) if target.is_dir() else read_objects(target)


def read_objects(file: Path) -> list[KubernetesObject]:
    """All Kubernetes objects of one YAML file, `List`s taken apart."""
    try:
        read = yaml.load_all(file.read_text(), yaml.CSafeLoader)
        documents = [item for item in read if item is not None]
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise KustomizationError(f"{file}: {error}") from error
    items: list[KubernetesObject] = []
    for document in documents:
        items += document["items"] if _is_list_object(document) else [document]
    for item in items:
        if not _is_named_object(item):
            raise KustomizationError(f"{file}: an object without kind or metadata.name")
    return items


def _is_list_object(document: object) -> bool:
    return (
        isinstance(document, dict)
        and str(document.get("kind", "")).endswith("List")
        and isinstance(document.get("items"), list)
    )


def _is_named_object(item: object) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("kind"), str):
        return False
    metadata = item.get("metadata")
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _reject_duplicates(items: list[KubernetesObject], file: Path) -> None:
    seen = set()
    for item in items:
        group = str(item.get("apiVersion", "")).rpartition("/")[0]
        metadata = item["metadata"]
        identity = (group, item["kind"], metadata.get("namespace", ""), metadata["name"])
        if identity in seen:
            raise KustomizationError(f"{file}: {item['kind']} {metadata['name']} is defined twice")
        seen.add(identity)


def _generate_config_map(
    items: list[KubernetesObject], fields: object, folder: Path, file: Path
) -> None:
    """Make or change a ConfigMap; its name gets no hash, since nothing rolls out by name here."""
    if not isinstance(fields, dict) or not isinstance(fields.get("name"), str):
        raise KustomizationError(f"{file}: a configMapGenerator without name")
    unknown = set(fields) - {"name", "namespace", "literals", "files", "behavior", "options"}
    if unknown:
        raise KustomizationError(f"{file}: configMapGenerator: {', '.join(sorted(unknown))}")
    data = _literals(fields, file) | _files(fields, folder, file)
    behavior = fields.get("behavior", "create")
    for item in items:
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == fields["name"]:
            if behavior == "create":
                raise KustomizationError(f"{file}: ConfigMap {fields['name']} already exists")
            kept = (item.get("data") or {}) if behavior == "merge" else {}
            item["data"] = kept | data
            return
    if behavior != "create":
        raise KustomizationError(f"{file}: no ConfigMap {fields['name']} to {behavior}")
    metadata = {key: fields[key] for key in ("name", "namespace") if key in fields}
    items.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _literals(fields: dict[str, Any], file: Path) -> dict[str, str]:
    pairs = [str(literal).partition("=") for literal in fields.get("literals") or []]
    if any(not separator for _, separator, _ in pairs):
        raise KustomizationError(f"{file}: a literal of {fields['name']} is not key=value")
    return {key: value.strip("'\"") for key, _, value in pairs}


def _files(fields: dict[str, Any], folder: Path, file: Path) -> dict[str, str]:
    data = {}
    for entry in fields.get("files") or []:
        key, separator, name = str(entry).partition("=")
        path = folder / (name if separator else key)
        try:
            data[key if separator else path.name] = path.read_text()
        except (OSError, ValueError) as error:
            raise KustomizationError(f"{file}: {error}") from error
    return data
