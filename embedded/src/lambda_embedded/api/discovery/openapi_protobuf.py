"""OpenAPI 2 as protobuf (gnostic's `openapi.v2.Document`): the only form that kubectl accepts."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.discovery.openapi import openapi_v2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_MORE = 0x80
"""The bit by which a byte of a varint says that another byte follows."""
# Clients accept "...v2@v1.0+protobuf", which is no media type; kube-apiserver responds with this.
MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@cache
def openapi_v2_protobuf(definition: Path) -> bytes:
    """Return the document; made once."""
    document = openapi_v2(definition)
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(
        _field(2, _text(1, path) + _field(2, _field(8, _operation(item["patch"]))))
        for path, item in document["paths"].items()
    )
    return b"".join(
        (
            _text(1, document["swagger"]),
            _field(2, info),
            _field(8, paths),
            _field(9, _named_schemas(document["definitions"])),
        )
    )


def _operation(operation: Mapping[str, Any]) -> bytes:
    # Operation.parameters[].parameter.non_body_parameter.query_parameter_sub_schema
    parameters = (
        _text(2, each["in"]) + _text(4, each["name"]) + _text(6, each["type"])
        for each in operation["parameters"]
    )
    wrapped = (_field(8, _field(1, _field(2, _field(3, each)))) for each in parameters)
    return _text(5, operation["operationId"]) + b"".join(wrapped) + _extensions(13, operation)


def _named_schemas(schemas: Mapping[str, Any]) -> bytes:
    return b"".join(
        _field(1, _text(1, name) + _field(2, _schema(schema))) for name, schema in schemas.items()
    )


def _schema(schema: Mapping[str, Any]) -> bytes:
    parts = [
        _text(number, schema[key])
        for number, key in ((1, "$ref"), (2, "format"), (4, "description"))
        if key in schema
    ]
    parts += [_text(19, name) for name in schema.get("required", ())]
    if "additionalProperties" in schema:
        parts.append(_field(21, _field(1, _schema(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(_field(22, _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_field(23, _field(1, _schema(schema["items"]))))
    if "properties" in schema:
        parts.append(_field(25, _named_schemas(schema["properties"])))
    return b"".join(parts) + _extensions(31, schema)


def _extensions(number: int, holder: Mapping[str, Any]) -> bytes:
    # NamedAny.value.yaml: JSON is YAML.
    return b"".join(
        _field(number, _text(1, key) + _field(2, _text(2, json.dumps(value))))
        for key, value in holder.items()
        if key.startswith("x-")
    )


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, data: bytes) -> bytes:
    return bytes((*_varint(number << 3 | 2), *_varint(len(data)))) + data


def _varint(value: int) -> Iterable[int]:
    while value >= _MORE:
        yield value % _MORE | _MORE
        value >>= 7
    yield value
