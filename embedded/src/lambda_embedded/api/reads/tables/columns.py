"""The columns of a kind: their names, and how to find the cells of an object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.kinds.custom import printer_columns
from lambda_embedded.api.reads.tables.built_in_cells import BUILT_IN_COLUMNS
from lambda_embedded.api.reads.tables.durations import since
from lambda_embedded.api.reads.tables.json_path import json_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.store.objects import KubernetesObject

_NAME = {"name": "Name", "type": "string", "format": "name"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a kind."""

    definitions: list[dict[str, Any]]
    find_cells: Callable[[KubernetesObject, datetime], list[Any]]
    """Raises Attribute-, Lookup-, Type- or ValueError for an unexpected shape."""

    def cells(self, item: KubernetesObject, now: datetime) -> list[Any]:
        """Return the cells of one object; only the name for an object of an unexpected shape."""
        try:
            return self.find_cells(item, now)
        except (AttributeError, LookupError, TypeError, ValueError):
            name = item["metadata"]["name"]
            return [name if each["format"] == "name" else None for each in self.definitions]


def columns_of(kind: Kind, definition: Path) -> Columns:
    """Return the columns that kube-apiserver has for a kind.

    `definition` is the file of LambdaFunction's CustomResourceDefinition.
    """
    if kind.is_custom:
        return _custom(printer_columns(kind, definition))
    names, cells = BUILT_IN_COLUMNS[kind.kind]
    return Columns([_definition(_split(name)) for name in names], cells)


def _custom(columns: list[dict[str, Any]]) -> Columns:
    finders = [(column["type"], json_path(column["jsonPath"])) for column in columns]

    def cells(item: KubernetesObject, now: datetime) -> list[Any]:
        values = (_cell(type_, find(item), now) for type_, find in finders)
        return [item["metadata"]["name"], *values]

    return Columns([_definition(_NAME), *(_definition(column) for column in columns)], cells)


def _cell(type_: str, value: object, now: datetime) -> object:
    if value is None:
        return None
    if type_ == "date":
        return since(value, now)
    if type_ == "string":
        return value if isinstance(value, str) else json.dumps(value)
    return value


def _split(name: str) -> dict[str, Any]:
    # A column in brackets is one of `-o wide`.
    wide = name.startswith("(")
    plain = name.strip("()")
    return {"name": plain, "priority": int(wide), "format": "name" if plain == "Name" else ""}


def _definition(column: dict[str, Any]) -> dict[str, Any]:
    defaults = {"type": "string", "format": "", "description": "", "priority": 0}
    return defaults | {key: value for key, value in column.items() if key != "jsonPath"}
