"""Server-side apply: merge a manager's intent into an object, by who owns which field."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.patches.field_ownership import children, fields_of, with_owner
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_embedded.api.patches.field_ownership import Fields, ListKeys, Owner, Path
    from lambda_embedded.store.objects import KubernetesObject

_MISSING = object()


class ApplyConflictError(Exception):
    """Fields that other managers own would change; `fields` are (manager, path) pairs."""

    def __init__(self, fields: tuple[tuple[str, Path], ...]) -> None:
        super().__init__("conflicts with other field managers")
        self.fields = fields


def apply(
    live: KubernetesObject,
    intent: KubernetesObject,
    *,
    owners: tuple[Owner, ...],
    writer: Owner,
    force: bool,
    keys: ListKeys,
) -> tuple[KubernetesObject, tuple[Owner, ...]]:
    """Return the ownable part of an object after `writer` applied `intent`, and its owners then.

    What the writer applied before and now omits is removed unless another manager owns it.
    Without `force`, `ApplyConflictError` if a field of another manager would change.
    """
    intended, before = fields_of(intent, keys), fields_of(live, keys)
    merged = merge(live, intent, keys)
    mine = next((owner for owner in owners if owner.is_same_writer(writer)), writer)
    others = [owner for owner in owners if not owner.is_same_writer(writer)]
    changed = _changed(intended, before, fields_of(merged, keys))
    if not force:
        _reject_conflicts(others, changed)
    others = [replace(owner, fields=owner.fields - changed) for owner in others]
    owned_still = set(intended).union(*(owner.fields for owner in others))
    result = remove(merged, mine.fields - owned_still, kept=owned_still, keys=keys)
    gone = before.keys() - fields_of(result, keys).keys()
    others = [replace(owner, fields=owner.fields - gone) for owner in others]
    if result == live and mine.fields == intended.keys():
        return result, with_owner(others, mine)
    return result, with_owner(others, replace(writer, fields=frozenset(intended)))


def _changed(intended: Fields, before: Fields, after: Fields) -> set[Path]:
    return {path for path in intended if before.get(path, _MISSING) != after.get(path, _MISSING)}


def _reject_conflicts(others: Iterable[Owner], changed: set[Path]) -> None:
    conflicts = tuple(
        (owner.manager, path) for owner in others for path in sorted(owner.fields & changed)
    )
    if conflicts:
        raise ApplyConflictError(conflicts)


def merge(live: object, intent: object, keys: ListKeys, path: Path = ()) -> Any:  # noqa: ANN401  # any JSON value
    """Lay `intent` over `live`: maps by field, keyed lists by item, all else replaces."""
    old, new = children(path, live, keys), children(path, intent, keys)
    if old is None or new is None or type(live) is not type(intent):
        return intent
    merged = {
        element: merge(old[element], child, keys, (*path, element)) if element in old else child
        for element, child in new.items()
    }
    if isinstance(intent, dict):
        return {element[2:]: value for element, value in {**old, **merged}.items()}
    # The order of a list's items can matter (containers): the newest intent decides it.
    return [*merged.values(), *(item for element, item in old.items() if element not in new)]


def remove(value: Any, gone: Iterable[Path], *, kept: Iterable[Path], keys: ListKeys) -> Any:  # noqa: ANN401  # any JSON value
    """Return `value` without the fields `gone`, and without maps that this leaves empty.

    A map, or an item of a list, stays for the fields in it that are `kept`.
    """
    return _Removal(_prefixes(gone), frozenset(gone), _prefixes(kept), keys).run(value, ())


def _prefixes(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


@dataclass(frozen=True, slots=True)
class _Removal:
    touched: frozenset[Path]
    gone: frozenset[Path]
    kept: frozenset[Path]
    keys: ListKeys

    def run(self, value: Any, at: Path) -> Any:  # noqa: ANN401  # any JSON value
        below = children(at, value, self.keys)
        if below is None:
            return value
        result = {}
        for element, child in below.items():
            path = (*at, element)
            if path not in self.touched or _identifies(at, element):
                result[element] = child
            elif path not in self.gone or path in self.kept:
                rest = self.run(child, path)
                if path in self.kept or rest not in ({}, []):
                    result[element] = rest
        if isinstance(value, dict):
            return {element[2:]: child for element, child in result.items()}
        return list(result.values())


def _identifies(at: Path, element: str) -> bool:
    """Whether a field is a key by which its list item is identified."""
    return bool(at) and at[-1].startswith("k:") and element[2:] in json.loads(at[-1][2:])


def apply_conflict(error: ApplyConflictError) -> ApiError:
    """Return the error 409 of fields that other managers own."""
    causes = [
        Cause(_dotted(path), f'conflict with "{manager}"', "FieldManagerConflict")
        for manager, path in error.fields
    ]
    text = ", ".join(f"{cause.message}: {cause.field}" for cause in causes)
    return ApiError(HTTPStatus.CONFLICT, f"Apply failed with: {text}", causes=causes)


def _dotted(path: tuple[str, ...]) -> str:
    return "".join(
        f".{element[2:]}" if element.startswith("f:") else f"[{element[2:]}]" for element in path
    )
