"""The JSON event format: structured mode on the wire, and how the journal shows an event."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.portable_json import loads
from knative_lambda.inbound.valid_event import (
    OPTIONAL,
    REQUIRED,
    CloudEvent,
    check_number,
    create_event,
)

_STRINGS = {"specversion", *REQUIRED, *OPTIONAL}
_INT32 = range(-(2**31), 2**31)


def from_json(body: bytes) -> CloudEvent:
    """Read one event in the JSON format; `InvalidEventError` says what is wrong with it."""
    try:
        fields = loads(body)
    except (ValueError, RecursionError):
        raise InvalidEventError("the body is not valid JSON in UTF-8") from None
    if not isinstance(fields, dict):
        raise InvalidEventError("the body must be a JSON object with the event's attributes")
    has_data = "data" in fields
    data, encoded = fields.pop("data", None), fields.pop("data_base64", None)
    check_number(len(fields))
    if has_data and encoded is not None:
        raise InvalidEventError("only one of data and data_base64 may be there", field="data")
    attributes = {
        name: _canonical(name, value) for name, value in fields.items() if value is not None
    }
    if encoded is not None:
        return create_event(attributes, _decode(encoded))
    if not has_data:
        return create_event(attributes)
    attributes.setdefault("datacontenttype", "application/json")
    return create_event(attributes, _encode_data(data, attributes["datacontenttype"]))


def to_json(event: CloudEvent) -> dict[str, Any]:
    """Return the event as an object of the JSON format."""
    fields: dict[str, Any] = dict(event.attributes)
    if event.data is None:
        return fields
    content_type = event.attributes.get("datacontenttype", "")
    try:
        if is_json(content_type):
            fields["data"] = loads(event.data)
            return fields
        if content_type.startswith("text/"):
            fields["data"] = event.data.decode()
            return fields
    except (ValueError, RecursionError):
        # A sender may declare the wrong type; the bytes themselves are always right.
        pass
    fields["data_base64"] = base64.b64encode(event.data).decode()
    return fields


def is_json(content_type: str) -> bool:
    """Say whether a content type means JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in {"", "application/json", "text/json"} or media_type.endswith("+json")


def _canonical(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if name in _STRINGS:
        raise InvalidEventError(f"{name} must be a string", field=name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        # JSON has one kind of number: 5.0 is 5.
        value = int(value)
    if isinstance(value, int) and value in _INT32:
        return str(value)
    raise InvalidEventError(
        f"attribute {name[:64]!a} must be a string, a boolean or a 32-bit integer", field=name
    )


def _encode_data(data: object, content_type: str) -> bytes:
    try:
        if isinstance(data, str) and not is_json(content_type):
            return data.encode()
        text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        # JSON can hold half a surrogate pair only as an escape.
        return text.encode("utf-8", "backslashreplace")
    except (ValueError, RecursionError):
        raise InvalidEventError("data holds a value that JSON cannot carry", field="data") from None


def _decode(encoded: object) -> bytes:
    if isinstance(encoded, str):
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise InvalidEventError("data_base64 must be a base64 string", field="data_base64")
