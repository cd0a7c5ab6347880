"""Which manager owns which fields: `metadata.managedFields` in the format FieldsV1."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.store.objects import KubernetesObject

Path = tuple[str, ...]
"""Elements of FieldsV1: `f:<field>`, `k:<keys of a list's item>`, `v:<value in a set>`."""
Fields = dict[Path, Any]
ListKeys = dict[str, tuple[str, ...]]
Operation = Literal["Apply", "Update"]

_LIST_KEYS_OF_METADATA: ListKeys = {"ownerReferences": ("uid",), "finalizers": ()}
_NOT_OWNED = frozenset(
    {
        "name", "generateName", "namespace", "uid", "resourceVersion", "generation",
        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
        "selfLink",
    },
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of managedFields."""

    manager: str
    operation: Operation
    subresource: str
    api_version: str
    time: str
    fields: frozenset[Path]

    def is_same_writer(self, other: Owner) -> bool:
        """Whether both entries stand for one manager writing in one way."""
        return (self.manager, self.operation, self.subresource) == (
            other.manager, other.operation, other.subresource,
        )  # fmt: skip


def list_keys(kind: Kind) -> ListKeys:
    """Lists of a kind that are merged item by item; an empty tuple means a set of values."""
    return {**kind.list_keys, **_LIST_KEYS_OF_METADATA}


def ownable(kind: Kind, item: KubernetesObject, subresource: str) -> KubernetesObject:
    """Return the part of an object that a write to it, or to its status, can own."""
    if subresource:
        return {subresource: item[subresource]} if subresource in item else {}
    skipped = {"apiVersion", "kind", "metadata"} | ({"status"} if kind.has_status else set())
    part = {key: value for key, value in item.items() if key not in skipped}
    metadata = {
        key: value for key, value in item.get("metadata", {}).items() if key not in _NOT_OWNED
    }
    return {**part, "metadata": metadata} if metadata else part


def with_ownable(
    kind: Kind, item: KubernetesObject, subresource: str, part: KubernetesObject
) -> KubernetesObject:
    """Return an object whose `ownable` part is `part`; the rest stays."""
    if subresource:
        return {**{key: item[key] for key in item if key != subresource}, **part}
    kept = {"apiVersion", "kind"} | ({"status"} if kind.has_status else set())
    metadata = {key: value for key, value in item["metadata"].items() if key in _NOT_OWNED}
    return {
        **{key: item[key] for key in item if key in kept},
        **part,
        "metadata": {**metadata, **part.get("metadata", {})},
    }


def children(path: Path, value: object, keys: ListKeys) -> dict[str, Any] | None:
    """Return what is below a field, by path element; None for a scalar or a list without keys."""
    if isinstance(value, dict):
        return {f"f:{key}": child for key, child in value.items()}
    if not isinstance(value, list) or not path or not path[-1].startswith("f:"):
        return None
    names = keys.get(path[-1][2:])
    if names is None:
        return None
    items = {_element(item, names): item for item in value}
    # With items that lack a key, or share one, only the list as a whole can be owned.
    return items if len(items) == len(value) and None not in items else None  # type: ignore[return-value]  # None was just excluded


def _element(item: object, names: tuple[str, ...]) -> str | None:
    if not names:
        return None if isinstance(item, dict | list) else f"v:{json.dumps(item)}"
    if not isinstance(item, dict) or any(
        isinstance(item.get(name), dict | list | None) for name in names
    ):
        return None
    return f"k:{json.dumps({name: item[name] for name in names}, separators=(',', ':'))}"


def fields_of(value: object, keys: ListKeys) -> Fields:
    """All fields by path: leaves with their value, and the items of keyed lists themselves."""
    found: Fields = {}
    _collect(found, (), value, keys)
    found.pop((), None)
    return found


def _collect(found: Fields, path: Path, value: object, keys: ListKeys) -> None:
    below = children(path, value, keys)
    if not below:
        found[path] = value
        return
    if path and path[-1].startswith("k:"):
        found[path] = True
    for element, child in below.items():
        _collect(found, (*path, element), child, keys)


def after_update(
    owners: Iterable[Owner], writer: Owner, old: Fields, new: Fields
) -> tuple[Owner, ...]:
    """Return the owners after `writer` changed `old` to `new`: what it changed is its own."""
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    removed = old.keys() - new.keys()
    kept, mine = [], frozenset[Path]()
    for owner in owners:
        if owner.is_same_writer(writer):
            mine = owner.fields
            writer = replace(writer, time=owner.time) if not changed and not removed else writer
        else:
            kept.append(replace(owner, fields=owner.fields - changed - removed))
    return with_owner(kept, replace(writer, fields=(mine - removed) | changed))


def with_owner(others: Iterable[Owner], writer: Owner) -> tuple[Owner, ...]:
    """Return the owners that own anything, in an order that does not depend on who wrote last."""
    owners = (owner for owner in (*others, writer) if owner.fields)
    return tuple(sorted(owners, key=lambda o: (o.manager, o.operation, o.subresource)))


def read_owners(item: KubernetesObject) -> tuple[Owner, ...]:
    """Return the owners in an object's managedFields."""
    return tuple(
        Owner(
            manager=entry.get("manager", ""),
            operation=entry["operation"],
            subresource=entry.get("subresource", ""),
            api_version=entry.get("apiVersion", ""),
            time=entry.get("time", ""),
            fields=frozenset(_decode(entry.get("fieldsV1", {}), ())),
        )
        for entry in item["metadata"].get("managedFields") or ()
    )


def write_owners(item: KubernetesObject, owners: Iterable[Owner]) -> None:
    """Set an object's managedFields."""
    entries = [
        {
            "manager": owner.manager,
            "operation": owner.operation,
            "apiVersion": owner.api_version,
            "time": owner.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _encode(owner.fields),
            **({"subresource": owner.subresource} if owner.subresource else {}),
        }
        for owner in owners
    ]
    item["metadata"].pop("managedFields", None)
    if entries:
        item["metadata"]["managedFields"] = entries


def _encode(paths: Iterable[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            # A member that comes to have fields below it is marked as a member by ".".
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_lone_dots(tree)


def _without_lone_dots(tree: dict[str, Any]) -> dict[str, Any]:
    if tree.keys() == {"."}:
        return {}
    return {key: child if key == "." else _without_lone_dots(child) for key, child in tree.items()}


def _decode(tree: Mapping[str, Any], path: Path) -> Iterable[Path]:
    if path and (not tree or "." in tree):
        yield path
    for element, below in tree.items():
        if element != ".":
            yield from _decode(below, (*path, element))
