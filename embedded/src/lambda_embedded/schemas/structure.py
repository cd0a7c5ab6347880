"""What kube-apiserver does with fields of custom resources: pruning, defaulting, validation."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from lambda_embedded.schemas import causes
from lambda_embedded.schemas.causes import MOST_CAUSES, Cause, cut
from lambda_embedded.schemas.schema import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_embedded.schemas.schema import Schema

_LARGEST_INTEGER = 2**63
_UNCHECKED = Cause(
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


def drop_unknown(
    schema: Schema, value: object, old: object = MISSING, at: str = ""
) -> Iterator[str]:
    """Remove fields that the schema does not have, and yield the paths of those not in `old`.

    Exhaust the iterator to remove all. Paths are for people: long ones are cut.
    """
    if _is_of_another_shape(schema, value):
        # It is rejected as a whole, whatever is in it.
        return
    if isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            was = old[index] if isinstance(old, list) and index < len(old) else MISSING
            yield from drop_unknown(schema.items, item, was, f"{at}[{index}]")
    elif isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        for name in list(value):
            below = schema.below(name)
            if below is not None:
                was = before.get(name, MISSING)
                yield from drop_unknown(below, value[name], was, _path(at, name))
            elif not schema.keeps_unknown:
                # A patched value shares parts with the old one.
                is_new = name not in before
                del value[name]
                if is_new:
                    yield _path(at, name)


def _is_of_another_shape(schema: Schema, value: object) -> bool:
    return bool(schema.types) and _type_of(value) not in schema.types


def complete(schema: Schema, value: object) -> None:
    """Set missing fields that have a default; a null counts as missing."""
    if isinstance(value, list) and schema.items is not None:
        for item in value:
            complete(schema.items, item)
    elif isinstance(value, dict):
        for name in [name for name in value if value[name] is None]:
            below = schema.below(name)
            if below is not None and not below.nullable:
                del value[name]
        for name, below in schema.properties.items():
            if name not in value and below.default is not MISSING:
                value[name] = copy.deepcopy(below.default)
        for name, child in value.items():
            below = schema.below(name)
            if below is not None:
                complete(below, child)


def check(schema: Schema, value: object, old: object = MISSING) -> list[Cause]:
    """Return the first faults of a value, except those of `old` in parts that did not change.

    So an object that is older than a rule can still be changed elsewhere, and deleted.
    """
    found = list(islice(_check(schema, value, old, ""), MOST_CAUSES))
    if schema.has_rules:
        if len(found) == MOST_CAUSES or any(cause.hides_rules for cause in found):
            found.append(_UNCHECKED)
        else:
            found += islice(_check_rules(schema, value, old, ""), MOST_CAUSES)
    return found


def _check(schema: Schema, value: Any, old: Any, at: str) -> Iterator[Cause]:  # noqa: ANN401  # any JSON value
    if is_same(value, old):
        return
    if value is None and schema.nullable:
        return
    found = _type_of(value)
    if schema.types and found not in schema.types and (found, schema.types) != _WHOLE:
        yield causes.wrong_type(at, ",".join(schema.types), found)
        return
    if schema.enum and not any(is_same(value, each) for each in schema.enum):
        yield causes.unsupported(at, value, schema.enum)
    if isinstance(value, str):
        yield from _check_text(schema, value, at)
    elif isinstance(value, list):
        yield from _check_list(schema, value, old, at)
    elif isinstance(value, dict):
        yield from _check_object(schema, value, old, at)
    elif isinstance(value, int | float):
        yield from _check_number(schema, value, at)


_WHOLE = ("integer", ("number",))


def _check_text(schema: Schema, value: str, at: str) -> Iterator[Cause]:
    least, most = schema.length.least, schema.length.most
    if most is not None and len(value) > most:
        yield causes.too_long(at, int(most))
        return
    if least is not None and len(value) < least:
        yield causes.out_of_bounds(at, value, f"be at least {least} chars long")
    if schema.matcher is not None and not schema.matcher.search(value):
        yield causes.out_of_bounds(at, value, f"match '{schema.pattern}'")
    if schema.is_time and not _is_time(value):
        yield causes.wrong_type(at, "date-time", value[:100])


def _check_number(schema: Schema, value: float, at: str) -> Iterator[Cause]:
    least, most = schema.value.least, schema.value.most
    if least is not None and value < least:
        yield causes.out_of_bounds(at, value, f"be greater than or equal to {least}")
    if most is not None and value > most:
        yield causes.out_of_bounds(at, value, f"be less than or equal to {most}")


def _check_list(schema: Schema, value: list[Any], old: object, at: str) -> Iterator[Cause]:
    least, most = schema.items_count.least, schema.items_count.most
    if most is not None and len(value) > most:
        yield causes.too_many(at, len(value), int(most))
        return
    if least is not None and len(value) < least:
        yield causes.out_of_bounds(at, len(value), f"have at least {least} items")
    seen: set[str] = set()
    before = _by_key(schema, old)
    for index, item in enumerate(value):
        place, key = f"{at}[{index}]", _key(schema, item)
        if key in seen:
            names = schema.list_keys or ()
            yield causes.duplicate(place, {n: item[n] for n in names} if names else item)
        elif key is not None:
            seen.add(key)
        if schema.items is not None:
            yield from _check(schema.items, item, before.get(key, MISSING), place)


def _check_object(schema: Schema, value: dict[str, Any], old: object, at: str) -> Iterator[Cause]:
    before = old if isinstance(old, dict) else None
    least, most = schema.fields_count.least, schema.fields_count.most
    if most is not None and len(value) > most:
        yield causes.too_many(at, len(value), int(most))
        return
    if least is not None and len(value) < least:
        yield causes.out_of_bounds(at, len(value), f"have at least {least} properties")
    for name in schema.required:
        if name not in value and (before is None or name in before):
            yield causes.required(_path(at, name))
    for name, child in value.items():
        below = schema.below(name)
        if below is not None:
            was = MISSING if before is None else before.get(name, MISSING)
            yield from _check(below, child, was, _path(at, name))


def _check_rules(schema: Schema, value: Any, old: Any, at: str) -> Iterator[Cause]:  # noqa: ANN401  # any JSON value
    if not schema.has_rules or is_same(value, old):
        return
    for rule in schema.rules:
        now, before = rule.part(value), rule.part(old)
        if is_same(now, before) or not rule.is_broken_by(now):
            continue
        if old is MISSING or not rule.is_broken_by(before):
            yield rule.cause(at)
    if isinstance(value, dict):
        for name, child in value.items():
            if below := schema.below(name):
                was = old.get(name, MISSING) if isinstance(old, dict) else MISSING
                yield from _check_rules(below, child, was, _path(at, name))
    elif isinstance(value, list) and schema.items is not None:
        before = _by_key(schema, old)
        for index, item in enumerate(value):
            was = before.get(_key(schema, item), MISSING)
            yield from _check_rules(schema.items, item, was, f"{at}[{index}]")


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Whether two values are the same in JSON, where true is not 1."""
    # Python tells most apart at once; to it, true is 1.
    return bool(one == other) and _are_alike(one, other)


def _are_alike(one: Any, other: Any) -> bool:  # noqa: ANN401  # as above
    if isinstance(one, dict):
        return all(_are_alike(child, other[name]) for name, child in one.items())
    if isinstance(one, list):
        return all(map(_are_alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def _by_key(schema: Schema, old: object) -> dict[str | None, Any]:
    if schema.list_keys is None or not isinstance(old, list):
        return {}
    return {key: item for item in old if (key := _key(schema, item)) is not None}


def _key(schema: Schema, item: object) -> str | None:
    """The key of an item of a list; None in a list whose items have no key."""
    if schema.list_keys is None:
        return None
    if not schema.list_keys:
        return json.dumps(item)
    if not isinstance(item, dict) or any(name not in item for name in schema.list_keys):
        return None
    return json.dumps([item[name] for name in schema.list_keys])


def _type_of(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_whole = value == value // 1 and -_LARGEST_INTEGER <= value < _LARGEST_INTEGER
        return "integer" if is_whole else "number"
    return _TYPES[type(value)]


_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    dict: "object",
    list: "array",
}


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and text[10:11] in {"T", "t"}
    except ValueError:
        return False


def _path(at: str, name: str) -> str:
    # The name of a field can be a megabyte long, and have thousands of others below it.
    return cut(f"{at}.{name}" if at else name)
