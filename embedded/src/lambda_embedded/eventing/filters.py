"""Which events a Trigger gets: `spec.filter` and `spec.filters` with Knative's semantics.

A filter passes (True), fails (False) or abstains (None); a Trigger gets every event that its
filters do not fail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Spec = Mapping[str, Any]
    Attributes = Mapping[str, str]

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9]*")
_DIALECTS = ("exact", "prefix", "suffix", "all", "any", "not", "cesql")
# Knative looks these up as empty where an event has none; an extension can be absent.
_ALWAYS_THERE = frozenset(
    {
        *("specversion", "type", "source", "subject", "id", "time", "dataschema", "schemaurl"),
        *("datacontenttype", "datamediatype", "datacontentencoding"),
    }
)


def matches(spec: Spec, attributes: Attributes) -> bool:
    """Whether a Trigger with this spec gets an event with these attributes."""
    if spec.get("filters"):
        return _all(_evaluate(item, attributes) for item in spec["filters"]) is not False
    wanted = (spec.get("filter") or {}).get("attributes")
    return not wanted or _has_attributes(wanted, attributes)


def required_values(spec: Spec) -> set[tuple[str, str]]:
    """Return attribute values that every matching event has, which an index can use."""
    if spec.get("filters"):
        return _required_of_all(spec["filters"])
    wanted = (spec.get("filter") or {}).get("attributes") or {}
    return {(name, value) for name, value in wanted.items() if value}


def problem(spec: Spec) -> str | None:
    """Return why the filters cannot be used, for a person, or None."""
    filters = spec.get("filters") or []
    if not isinstance(filters, list):
        return "spec.filters must be a list"
    for index, item in enumerate(filters):
        if found := _problem_of(item, f"spec.filters[{index}]"):
            return found
    if filters or not spec.get("filter"):
        return None
    if not isinstance(spec["filter"], dict):
        return "spec.filter must be an object"
    return _problem_of_names(spec["filter"].get("attributes") or {}, "spec.filter.attributes")


def _evaluate(item: Spec, attributes: Attributes) -> bool | None:
    if item.get("exact"):
        return _has_attributes(item["exact"], attributes)
    for dialect, test in (("prefix", str.startswith), ("suffix", str.endswith)):
        if item.get(dialect):
            return _compare(item[dialect], attributes, test)
    for dialect, combine in (("all", _all), ("any", _any)):
        if item.get(dialect):
            return combine(_evaluate(inner, attributes) for inner in item[dialect])
    result = _evaluate(item["not"], attributes) if item.get("not") else None
    return None if result is None else not result


def _all(results: Iterable[bool | None]) -> bool | None:
    decided = [result for result in results if result is not None]
    return all(decided) if decided else None


def _any(results: Iterable[bool | None]) -> bool | None:
    decided = [result for result in results if result is not None]
    return any(decided) if decided else None


def _has_attributes(wanted: Mapping[str, str], attributes: Attributes) -> bool:
    for name, value in wanted.items():
        found = _look_up(name, attributes)
        if found is None or (found != value if value else found == ""):
            return False
    return True


def _compare(
    wanted: Mapping[str, str], attributes: Attributes, test: Callable[[str, str], bool]
) -> bool:
    found = ((_look_up(name, attributes), value) for name, value in wanted.items())
    return all(actual is not None and test(actual, value) for actual, value in found)


def _look_up(name: str, attributes: Attributes) -> str | None:
    if name == "schemaurl":
        return attributes.get("dataschema", "")
    if name == "datamediatype":
        return attributes.get("datacontenttype", "").partition(";")[0].strip()
    return attributes.get(name, "" if name in _ALWAYS_THERE else None)


def _required_of_all(filters: Iterable[Spec]) -> set[tuple[str, str]]:
    required: set[tuple[str, str]] = set()
    for item in filters:
        if item.get("exact"):
            required.update(item["exact"].items())
        elif item.get("all") and not any(item.get(name) for name in ("prefix", "suffix")):
            required |= _required_of_all(item["all"])
    return required


def _problem_of(item: object, where: str) -> str | None:
    if not isinstance(item, dict) or not any(item.get(name) for name in _DIALECTS):
        return f"{where} must hold one of {', '.join(_DIALECTS)}"
    given = [name for name in _DIALECTS if item.get(name)]
    if len(given) > 1:
        return f"{where} holds {' and '.join(given)}; each filter may hold one of them"
    dialect = given[0]
    if dialect == "cesql":
        return f"{where}.cesql is not supported here; use exact, prefix, suffix, all, any and not"
    return _problem_inside(item[dialect], dialect, f"{where}.{dialect}")


def _problem_inside(value: object, dialect: str, where: str) -> str | None:
    if dialect == "not":
        return _problem_of(value, where)
    if dialect in {"all", "any"}:
        if not isinstance(value, list):
            return f"{where} must be a list"
        found = (_problem_of(inner, f"{where}[{index}]") for index, inner in enumerate(value))
        return next((message for message in found if message), None)
    if isinstance(value, dict) and any(text == "" for text in value.values()):
        return f"{where} must not compare with an empty value"
    return _problem_of_names(value, where)


def _problem_of_names(wanted: object, where: str) -> str | None:
    if not isinstance(wanted, dict):
        return f"{where} must map attribute names to strings"
    for name, value in wanted.items():
        if not isinstance(name, str) or not _ATTRIBUTE.fullmatch(name):
            return f"{where}: {name!r} is not an attribute name (lower-case letters and digits)"
        if not isinstance(value, str):
            return f"{where}.{name} must be a string"
    return None
