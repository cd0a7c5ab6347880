"""Patches of a kustomization: JSON Patch (RFC 6902) and simple strategic merge patches."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_embedded.store.objects import KubernetesObject

_MERGED_BY_NAME = frozenset({"containers", "initContainers", "env", "volumes", "ports"})


def apply_patches(
    items: list[KubernetesObject], patches: list[dict[str, Any]], folder: Path
) -> None:
    """Change `items` in place; `ValueError` for a patch that matches nothing or is unsupported."""
    for entry in patches:
        unknown = sorted(set(entry) - {"path", "patch", "target", "options"})
        if unknown:
            raise ValueError(f"patches: {', '.join(unknown)} is not supported")
        text = entry["patch"] if "patch" in entry else (folder / str(entry["path"])).read_text()
        for patch in yaml.load_all(text, yaml.CSafeLoader):
            if patch is not None:
                _apply(items, patch, entry.get("target"))


def _apply(items: list[KubernetesObject], patch: object, target: dict[str, Any] | None) -> None:
    if target is None:
        if not isinstance(patch, dict):
            raise ValueError("patches: a JSON patch needs a target")
        target = {"kind": patch["kind"], "name": re.escape(patch["metadata"]["name"])}
    chosen = [item for item in items if _is_target(item, target)]
    if not chosen:
        raise ValueError(f"patches: nothing matches the target {target}")
    for item in chosen:
        if isinstance(patch, list):
            for operation in patch:
                _operate(item, operation)
        elif isinstance(patch, dict) and patch.get("$patch") == "delete":
            items.remove(item)
        elif isinstance(patch, dict):
            changed = {key: value for key, value in patch.items() if key != "metadata"}
            metadata = dict(patch.get("metadata") or {})
            # The name in the patch says what it is for; with a target it may be anything.
            metadata.pop("name", None)
            _merge(item, {**changed, "metadata": metadata}, item["kind"])
        else:
            raise ValueError("patches: neither a list of operations nor a part of an object")


def _is_target(item: KubernetesObject, target: dict[str, Any]) -> bool:
    metadata = item["metadata"]
    group, _, version = str(item.get("apiVersion", "")).rpartition("/")
    facts = {
        "kind": item["kind"],
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "group": group,
        "version": version,
    }
    unknown = sorted(set(target) - set(facts) - {"labelSelector"})
    if unknown:
        raise ValueError(f"patches: target.{unknown[0]} is not supported")
    labels = metadata.get("labels") or {}
    selector = [part for part in str(target.get("labelSelector", "")).split(",") if part]
    if any(
        labels.get(key) != value for key, _, value in (part.partition("=") for part in selector)
    ):
        return False
    return all(
        re.fullmatch(str(target[name]), fact) for name, fact in facts.items() if target.get(name)
    )


def _merge(into: dict[str, Any], patch: dict[str, Any], field: str) -> None:
    for key, value in patch.items():
        if key.startswith("$"):
            raise ValueError(f"patches: the directive {key} is not supported; use a JSON patch")
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            below = into.get(key)
            into[key] = dict(below) if isinstance(below, dict) else {}
            _merge(into[key], value, f"{field}.{key}")
        elif key in _MERGED_BY_NAME and isinstance(into.get(key), list):
            into[key] = _merge_by_name(into[key], value, f"{field}.{key}")
        else:
            into[key] = copy.deepcopy(value)


def _merge_by_name(old: list[Any], patch: list[Any], field: str) -> list[Any]:
    merged = copy.deepcopy(old)
    for entry in patch:
        if not isinstance(entry, dict) or "name" not in entry:
            raise ValueError(f"patches: an entry of {field} has no name; use a JSON patch")
        if entry.get("$patch") == "delete":
            merged = [item for item in merged if item.get("name") != entry["name"]]
            continue
        found = [item for item in merged if item.get("name") == entry["name"]]
        if found:
            _merge(found[0], entry, field)
        else:
            merged.append(copy.deepcopy(entry))
    return merged


def _operate(item: KubernetesObject, operation: dict[str, Any]) -> None:
    """One operation of a JSON patch."""
    name, path = operation["op"], str(operation["path"])
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    parent: Any = item
    try:
        for part in parts[:-1]:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        _change(parent, name, parts[-1], copy.deepcopy(operation.get("value")))
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"patches: {name} {path}: no such place in {item['kind']} {item['metadata']['name']}"
        ) from error


def _change(parent: Any, name: str, key: str, value: object) -> None:  # noqa: ANN401  # any JSON
    place = int(key) if isinstance(parent, list) and key != "-" else key
    match name:
        case "add" if isinstance(parent, list):
            parent.insert(len(parent) if key == "-" else int(key), value)
        case "add":
            parent[place] = value
        case "replace":
            _ = parent[place]
            parent[place] = value
        case "remove":
            del parent[place]
        case "test":
            if parent[place] != value:
                raise ValueError(f"patches: test of {key} failed")
        case _:
            raise ValueError(f"patches: the operation {name} is not supported")
