"""The schemas of the kinds that are served, for OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.api.kinds.built_in import (
    METADATA,
    built_in_definitions,
    definition_name,
    properties_of,
)
from lambda_embedded.api.kinds.custom import custom_schema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_embedded.api.kinds.built_in import Definition
    from lambda_embedded.api.kinds.served import Kind

Schema = dict[str, Any]

_OF_PROTOBUF = frozenset({"number", "pointer"})
# For the protobuf decoder; OpenAPI does not have them.
_OWN_FORMATS = frozenset({("format", "quantity"), ("format", "raw")})
_TYPE_META = {
    "apiVersion": {"type": "string", "description": "The version of the schema of this object."},
    "kind": {"type": "string", "description": "What this object is, such as Pod."},
}


def definitions(kinds: Iterable[Kind], *, place: str, definition: Path) -> dict[str, Schema]:
    """Return the schemas of kinds, and of all that they refer to by `<place><name>`.

    `definition` is the file of LambdaFunction's CustomResourceDefinition.
    """
    found: dict[str, Schema] = {}
    for kind in kinds:
        built_in = definition_name(kind.api_version, kind.kind)
        if built_in is None:
            schema, name = dict(custom_schema(kind, definition)), _custom_name(kind)
        else:
            schema, name = _built_in(built_in_definitions()[built_in], found, place), built_in
        metadata = {"metadata": _reference(METADATA, place)}
        schema["properties"] = {**_TYPE_META, **schema["properties"], **metadata}
        schema["x-kubernetes-group-version-kind"] = [identity(kind)]
        found[name] = schema
    _add(METADATA, found, place)
    return found


def identity(kind: Kind) -> dict[str, str]:
    """Return how OpenAPI identifies a kind."""
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _custom_name(kind: Kind) -> str:
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _reference(name: str, place: str) -> Schema:
    return {"$ref": place + name}


def _add(name: str, found: dict[str, Schema], place: str) -> None:
    if name not in found:
        found[name] = {}  # What it refers to may refer back to it.
        found[name] = _built_in(built_in_definitions()[name], found, place)


def _built_in(definition: Definition, found: dict[str, Schema], place: str) -> Schema:
    properties = properties_of(definition).items()
    schema: Schema = {
        "type": "object",
        "properties": {name: _open(each, found, place) for name, each in properties},
    }
    for key in ("description", "required"):
        if key in definition:
            schema[key] = definition[key]
    return schema


def _open(schema: Schema, found: dict[str, Schema], place: str) -> Schema:
    opened: Schema = {}
    for key, value in schema.items():
        if key == "$ref":
            _add(value, found, place)
            opened |= _reference(value, place)
        elif key in {"items", "additionalProperties"}:
            opened[key] = _open(value, found, place)
        elif key not in _OF_PROTOBUF and (key, str(value)) not in _OWN_FORMATS:
            opened[key] = value
    return opened
