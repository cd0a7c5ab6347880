"""A structural schema of a CustomResourceDefinition, compiled once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_embedded.schemas.rules import Rule, compile_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = object()

_CHECKED = frozenset(
    {
        "type", "properties", "additionalProperties", "items", "required", "enum", "default",
        "nullable", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems",
        "maxItems", "minProperties", "maxProperties", "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys", "x-kubernetes-validations",
    }
)  # fmt: skip
# For people, or for server-side apply, which has its own table of lists.
_PASSED_OVER = frozenset({"description", "title", "example", "x-kubernetes-map-type"})
# How definitions repeat what x-kubernetes-int-or-string says already.
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


class UnsupportedSchemaError(Exception):
    """A schema has a keyword that is not supported here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the most of something; None is no bound."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What is allowed of a value."""

    types: tuple[str, ...] = ()
    nullable: bool = False
    default: Any = MISSING
    enum: tuple[Any, ...] = ()
    pattern: str = ""
    matcher: re.Pattern[str] | None = None
    is_time: bool = False
    value: Bounds = Bounds()
    length: Bounds = Bounds()
    items_count: Bounds = Bounds()
    fields_count: Bounds = Bounds()
    properties: Mapping[str, Schema] = field(default_factory=dict)
    others: Schema | None = None
    """Of fields that `properties` does not name."""
    keeps_unknown: bool = False
    required: tuple[str, ...] = ()
    items: Schema | None = None
    list_keys: tuple[str, ...] | None = None
    """The fields that no two items share; an empty tuple means the items themselves."""
    rules: tuple[Rule, ...] = ()
    has_rules: bool = False
    """Whether there are rules here or below."""

    def below(self, name: str) -> Schema | None:
        """Return the schema of a field; None for an unknown one."""
        return self.properties.get(name, self.others)


def compile_schema(source: Mapping[str, Any], at: str = "") -> Schema:
    """Compile an openAPIV3Schema; `UnsupportedSchemaError` names the unsupported keyword."""
    unknown = source.keys() - _CHECKED - _PASSED_OVER
    if source.get("anyOf") == _INT_OR_STRING and source.get("x-kubernetes-int-or-string"):
        unknown = unknown - {"anyOf"}
    if unknown:
        raise UnsupportedSchemaError(f"{at or 'the schema'}: {', '.join(sorted(unknown))}")
    properties = {
        name: compile_schema(below, f"{at}.{name}")
        for name, below in (source.get("properties") or {}).items()
    }
    others = source.get("additionalProperties")
    other = compile_schema(others, f"{at}.*") if isinstance(others, dict) else None
    items = compile_schema(source["items"], f"{at}[]") if "items" in source else None
    rules = compile_rules(source.get("x-kubernetes-validations") or ())
    below = (*properties.values(), *(each for each in (other, items) if each is not None))
    return Schema(
        types=_types(source),
        nullable=bool(source.get("nullable")),
        default=source.get("default", MISSING),
        enum=tuple(source.get("enum") or ()),
        pattern=source.get("pattern", ""),
        matcher=_matcher(source.get("pattern")),
        is_time=source.get("format") == "date-time",
        value=_bounds(source, "minimum", "maximum"),
        length=_bounds(source, "minLength", "maxLength"),
        items_count=_bounds(source, "minItems", "maxItems"),
        fields_count=_bounds(source, "minProperties", "maxProperties"),
        properties=properties,
        others=other,
        keeps_unknown=bool(source.get("x-kubernetes-preserve-unknown-fields") or others is True),
        required=tuple(source.get("required") or ()),
        items=items,
        list_keys=_list_keys(source),
        rules=rules,
        has_rules=bool(rules) or any(each.has_rules for each in below),
    )


def _types(source: Mapping[str, Any]) -> tuple[str, ...]:
    if source.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (source["type"],) if "type" in source else ()


def _bounds(source: Mapping[str, Any], least: str, most: str) -> Bounds:
    return Bounds(least=source.get(least), most=source.get(most))


def _list_keys(source: Mapping[str, Any]) -> tuple[str, ...] | None:
    match source.get("x-kubernetes-list-type"):
        case "map":
            return tuple(source["x-kubernetes-list-map-keys"])
        case "set":
            return ()
    return None


def _matcher(pattern: str | None) -> re.Pattern[str] | None:
    """Compile a pattern as Go reads it: there `$` is the very end, and digits are ASCII."""
    if pattern is None:
        return None
    parts = re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    return re.compile("".join(r"\Z" if part == "$" else part for part in parts), re.ASCII)
