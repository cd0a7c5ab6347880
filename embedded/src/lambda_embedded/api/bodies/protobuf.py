"""Objects in Kubernetes' protobuf encoding, which newer kubectl sends for built-in kinds.

The wire format is small and frozen, and Kubernetes maps its special types to JSON in its own ways,
not in those of protobuf; so it is decoded here, by the fields of the Go types.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.bodies.strict_json import read_json
from lambda_embedded.api.errors import bad_request
from lambda_embedded.api.kinds.built_in import built_in_definitions, definition_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.api.kinds.built_in import Definition

_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_INTEGER_BYTES = frozenset({0, *_FIXED_BYTES.values()})
_VARINT_MAX_BYTES = 10
# A field can be two bytes and takes a microsecond, in which every other request waits.
_MOST_FIELDS = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Raw = int | bytes
Fields = dict[int, list[Raw]]


class _BrokenError(ValueError):
    pass


def parse_protobuf(body: bytes) -> dict[str, Any]:
    """Return the object of a body in its JSON form; `ApiError` 400 if it has none."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body does not begin as Kubernetes' protobuf encoding does")
    try:
        envelope = _fields(body[len(_MAGIC) :])
        type_meta = _fields(_last_bytes(envelope, 1))
        api_version, kind = _text(_last_bytes(type_meta, 1)), _text(_last_bytes(type_meta, 2))
        name = definition_name(api_version, kind)
        if name is None:
            raise bad_request(
                f"{kind[:100]!r} of {api_version[:100]!r} is not supported in protobuf here; "
                "send JSON"
            )
        item = _message(_last_bytes(envelope, 2), name)
    except (ValueError, OverflowError, RecursionError) as error:
        raise bad_request(f"the body is not valid protobuf: {error}") from error
    return {"apiVersion": api_version, "kind": kind, **item}


def _fields(data: bytes) -> Fields:
    found: Fields = {}
    position = count = 0
    while position < len(data):
        count += 1
        if count > _MOST_FIELDS:
            raise _BrokenError(f"a message has more than {_MOST_FIELDS} fields; send JSON")
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        value: Raw
        if wire == _VARINT:
            value, position = _varint(data, position)
        else:
            length = _FIXED_BYTES.get(wire)
            if wire == _LENGTH:
                length, position = _varint(data, position)
            if length is None:
                raise _BrokenError(f"field {number} has the wire type {wire}")
            if length > len(data) - position:
                raise _BrokenError(f"field {number} is cut off")
            value, position = data[position : position + length], position + length
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _VARINT_MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value & (2**64 - 1), position + index + 1
    raise _BrokenError("a number does not end")


def _message(data: bytes, name: str) -> dict[str, Any]:
    definition, fields = built_in_definitions()[name], _fields(data)
    found: dict[str, Any] = {}
    for number, inline in definition.get("inline", {}).items():
        for raw in fields.get(int(number), []):
            found.update(_message(_bytes(raw), inline))
    for key, schema in definition["properties"].items():
        raws = fields.get(schema.get("number"), [])
        if raws:
            value = _property(raws, schema)
            if value or _says_zero(value, key, schema, definition):
                found[key] = value
    return found


def _says_zero(value: object, key: str, schema: Definition, definition: Definition) -> bool:
    """Whether an empty value was set: Go also writes those that were not."""
    return value is not None and ("pointer" in schema or key in definition.get("required", ()))


def _property(raws: list[Raw], schema: Definition) -> Any:  # noqa: ANN401  # any JSON value
    if schema.get("type") == "array":
        return [_value(raw, schema["items"]) for raw in raws]
    if (values := schema.get("additionalProperties")) is not None:
        return dict(_entry(_bytes(raw), values) for raw in raws)
    return _value(raws[-1], schema)


def _entry(data: bytes, schema: Definition) -> tuple[str, Any]:
    fields = _fields(data)
    return _text(_last_bytes(fields, 1)), _property(fields.get(2) or [b""], schema)


def _value(raw: Raw, schema: Definition) -> Any:  # noqa: ANN401  # any JSON value
    if "$ref" in schema:
        return _message(_bytes(raw), schema["$ref"])
    read = _READERS.get(schema.get("format", "")) or _READERS.get(schema["type"])
    if read is None:
        raise _BrokenError(f"a value of type {schema['type']} is not supported here")
    return read(raw)


def _bytes(raw: Raw) -> bytes:
    if isinstance(raw, int):
        raise _BrokenError("found a number instead of bytes")
    return raw


def _last_bytes(fields: Fields, number: int) -> bytes:
    return _bytes(fields.get(number, [b""])[-1])


def _text(raw: Raw) -> str:
    return _bytes(raw).decode()


def _integer(raw: Raw) -> int:
    if isinstance(raw, bytes):
        if len(raw) not in _INTEGER_BYTES:
            raise _BrokenError("found bytes instead of a number")
        # What Go writes is a varint; an empty value of a map is zero.
        return int.from_bytes(raw, "little", signed=True)
    return raw - 2**64 if raw >= 2**63 else raw


def _time(raw: Raw) -> str | None:
    fields = _fields(_bytes(raw))
    if not fields:
        return None
    seconds, nanoseconds = (_integer(fields.get(number, [0])[-1]) for number in (1, 2))
    time = _EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    precision = "microseconds" if time.microsecond else "seconds"
    return time.isoformat(timespec=precision).replace("+00:00", "Z")


def _number_or_text(raw: Raw) -> int | str:
    fields = _fields(_bytes(raw))
    if _integer(fields.get(1, [0])[-1]):
        return _text(_last_bytes(fields, 3))
    return _integer(fields.get(2, [0])[-1])


def _inner_text(raw: Raw) -> str:
    return _text(_last_bytes(_fields(_bytes(raw)), 1))


def _inner_json(raw: Raw) -> Any:  # noqa: ANN401  # any JSON value
    return read_json(_inner_text(raw) or "null")


_READERS: dict[str, Callable[[Raw], Any]] = {
    "byte": lambda raw: base64.b64encode(_bytes(raw)).decode(),
    "date-time": _time,
    "quantity": _inner_text,
    "int-or-string": _number_or_text,
    "raw": _inner_json,
    "string": _text,
    "integer": _integer,
    "boolean": lambda raw: bool(_integer(raw)),
}
