"""Strategic merge patch: a merge patch that knows which lists are merged item by item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.errors import bad_request
from lambda_embedded.api.kinds.built_in import built_in_definitions, properties_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.api.kinds.built_in import Definition

_DIRECTIVE = "$patch"
_RETAIN_KEYS = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"
_ANY: Definition = {}


def strategic_merge(value: Any, patch: Any, definition: str) -> Any:  # noqa: ANN401  # any JSON value
    """Merge `patch` into `value`, with lists merged by the keys that a built-in kind declares.

    `ApiError` 400 for a patch that is no object or breaks the rules of its directives.
    """
    if not isinstance(patch, dict):
        raise bad_request("a strategic merge patch is an object")
    return _merge_map(value, patch, {"$ref": definition})


def _merge_map(value: object, patch: Mapping[str, Any], schema: Definition) -> dict[str, Any]:
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return {}
    result = dict(value) if isinstance(value, dict) and directive != "replace" else {}
    if (kept := patch.get(_RETAIN_KEYS)) is not None:
        names = {each for each in _list(kept, _RETAIN_KEYS) if isinstance(each, str)}
        result = {key: child for key, child in result.items() if key in names}
    for key, change in patch.items():
        if key.startswith(_DELETE_VALUES):
            field, gone = key.removeprefix(_DELETE_VALUES), _by_text(_list(change, key))
            found = _by_text(_items(result.get(field)))
            result[field] = [each for text, each in found.items() if text not in gone]
        elif key.startswith("$"):
            continue
        elif change is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), change, _below(schema, key))
    for key, order in patch.items():
        field = key.removeprefix(_ORDER)
        if field != key and field in result:
            merge_key = _below(schema, field).get("x-kubernetes-patch-merge-key", "")
            result[field] = _ordered(_items(result[field]), _list(order, key), merge_key)
    return result


def _merge(value: object, change: object, schema: Definition) -> object:
    if isinstance(change, dict):
        return _merge_map(value, change, schema)
    if not isinstance(change, list) or "merge" not in _strategy(schema):
        return change
    key = schema.get("x-kubernetes-patch-merge-key")
    if key is None:
        return list((_by_text(_items(value)) | _by_text(change)).values())
    return _merge_items(_items(value), change, key, schema.get("items", _ANY))


def _merge_items(
    value: list[Any], changes: list[Any], key: str, schema: Definition
) -> list[dict[str, Any]]:
    # A directive without a key is about the list as a whole.
    if any(isinstance(each, dict) and each == {_DIRECTIVE: "replace"} for each in changes):
        value, changes = [], [each for each in changes if each != {_DIRECTIVE: "replace"}]
    merged = {_identity(item, key): item for item in value}
    for change in changes:
        identity = _identity(change, key)
        if change.get(_DIRECTIVE) == "delete":
            merged.pop(identity, None)
        else:
            merged[identity] = _merge_map(merged.get(identity), change, schema)
    return list(merged.values())


def _identity(item: object, key: str) -> str:
    if not isinstance(item, dict) or key not in item:
        raise bad_request(f"an item of a list does not contain its merge key: {key}")
    return str(item[key])


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    def known_by(item: object) -> str:
        return json.dumps(item.get(key) if isinstance(item, dict) else item)

    places = {known_by(each): place for place, each in enumerate(order)}
    # Items that the order does not name were added by others: they stay, at the end.
    return sorted(items, key=lambda item: places.get(known_by(item), len(places)))


def _below(schema: Definition, key: str) -> Definition:
    if "$ref" in schema:
        definition = built_in_definitions()[schema["$ref"]]
        return properties_of(definition).get(key, _ANY)
    values: Definition = schema.get("additionalProperties", _ANY)
    return values


def _strategy(schema: Definition) -> list[str]:
    strategies: str = schema.get("x-kubernetes-patch-strategy", "")
    return strategies.split(",")


def _by_text(values: list[Any]) -> dict[str, Any]:
    return {json.dumps(value, sort_keys=True): value for value in values}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise bad_request(f"{name[:100]}: must be a list")
    return value
