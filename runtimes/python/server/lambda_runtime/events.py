"""CloudEvents out of HTTP requests, in binary and structured mode."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from lambda_runtime.attributes import (
    check_attributes,
    check_member,
    check_name,
    check_number,
    invalid,
    parse_time,
)
from lambda_runtime.errors import RejectedRequestError
from lambda_runtime.portable_json import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_runtime.responses import Headers

    Attributes = dict[str, Any]
    DataDecoder = Callable[[str | None, bytes], Any]

_STRUCTURED = "application/cloudevents"
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_QUOTED_PAIR = re.compile(rb"\\(.)")


def read_event(headers: Headers, body: bytes, decode: DataDecoder) -> tuple[Attributes, Any]:
    """Attributes and data of a valid event; `RejectedRequestError` names what is wrong."""
    content_type = _content_type(headers)
    if content_type is not None and content_type.lower().startswith(_STRUCTURED):
        return _structured(content_type, body, decode)
    attributes = _binary_attributes(headers)
    if "specversion" not in attributes:
        message = "no CloudEvent: neither ce-specversion nor application/cloudevents+json"
        raise RejectedRequestError(400, "NotACloudEvent", message, "specversion")
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    check_attributes(attributes)
    return attributes, decode(content_type, body)


def typed_data(content_type: str | None, body: bytes) -> Any:
    """Data as its content type says: JSON parsed, text decoded, anything else as bytes."""
    if not body:
        return None
    media_type = (content_type or "application/json").partition(";")[0].strip().lower()
    if media_type.endswith(("/json", "+json")):
        try:
            return loads(body)
        except (ValueError, RecursionError):
            if content_type is None:
                return body
            raise invalid("data", f"the data is not valid JSON, but {content_type:.60}") from None
    if content_type is not None and media_type.startswith("text/"):
        from lambda_runtime.charsets import decoded  # noqa: PLC0415 - only where text comes

        return decoded(content_type, body)
    return body


def json_or_bytes(_content_type: str | None, body: bytes) -> Any:
    """Data as the CloudEvents SDK gives it to a functions_framework function."""
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _content_type(headers: Headers) -> str | None:
    found = [value for name, value in headers if name == b"content-type"]
    if len(found) > 1:
        raise invalid("datacontenttype", "the Content-Type is given twice")
    return found[0].decode("latin-1") if found else None


def _binary_attributes(headers: Headers) -> Attributes:
    attributes: Attributes = {}
    for raw_name, value in headers:
        # What ce-datacontenttype would say is the Content-Type's to say.
        if raw_name.startswith(b"ce-") and raw_name != b"ce-datacontenttype":
            name = raw_name[3:].decode("latin-1")
            check_name(name)
            if name in attributes:
                raise invalid(name, f'the attribute "{name}" is given twice')
            attributes[name] = _header_value(name, value)
    return attributes


def _header_value(name: str, value: bytes) -> str:
    quoted = _QUOTED.fullmatch(value) if value[:1] == b'"' else None
    if quoted is not None:
        value = _QUOTED_PAIR.sub(rb"\1", quoted[1])
    try:
        return (unquote_to_bytes(value) if b"%" in value else value).decode()
    except UnicodeDecodeError:
        raise invalid(name, f'the attribute "{name}" is not UTF-8') from None


def _structured(content_type: str, body: bytes, decode: DataDecoder) -> tuple[Attributes, Any]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/cloudevents+json":
        message = (
            f"{media_type:.60} is not understood; send one event as application/cloudevents+json"
        )
        raise RejectedRequestError(415, "UnsupportedEventFormat", message)
    try:
        document = loads(body)
    except (ValueError, RecursionError):
        message = "the event is not valid JSON in UTF-8"
        raise RejectedRequestError(400, "InvalidEvent", message) from None
    if not isinstance(document, dict):
        raise RejectedRequestError(400, "InvalidEvent", "the event is not a JSON object")
    data = document.pop("data", None)
    encoded = document.pop("data_base64", None)
    check_number(len(document))
    attributes = {
        name: check_member(name, value) for name, value in document.items() if value is not None
    }
    check_attributes(attributes)
    if encoded is None:
        return attributes, data
    if data is not None:
        raise invalid("data_base64", "the event has both data and data_base64")
    return attributes, decode(attributes.get("datacontenttype"), _base64(encoded))


def _base64(encoded: Any) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise invalid("data_base64", "data_base64 is not valid base64") from None


def event_factory() -> Callable[[Attributes, Any], Any]:
    """Makes the events a handler is given: of the SDK 2.x where the user brings it, else of 1.x.

    Both SDKs give an event without a time the present one, which the sender never said.
    """
    try:
        from cloudevents.core.v1.event import CloudEvent as CloudEvent2  # noqa: PLC0415 - by path
    except ModuleNotFoundError:
        from cloudevents.http import CloudEvent  # noqa: PLC0415 - only where events are served

        def make1(attributes: Attributes, data: Any) -> Any:
            event = CloudEvent(attributes, data)
            if "time" not in attributes:
                del event["time"]
            return event

        return make1

    def make2(attributes: Attributes, data: Any) -> Any:
        timed = "time" in attributes
        if timed:
            attributes["time"] = parse_time(attributes["time"])
        try:
            event = CloudEvent2(attributes, data)
        except ValueError as error:
            raise RejectedRequestError(400, "InvalidEvent", str(error)) from None
        if not timed:
            event.get_attributes().pop("time", None)
        return event

    return make2
