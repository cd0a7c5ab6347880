"""The HTTP protocol binding: events from headers and body and back, binary or structured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from knative_lambda.domain.errors import InvalidEventError, UnsupportedEventFormatError
from knative_lambda.inbound.json_format import from_json
from knative_lambda.inbound.valid_event import REQUIRED, CloudEvent, create_event

if TYPE_CHECKING:
    from collections.abc import Iterable

_STRUCTURED = "application/cloudevents+json"
# Printable ASCII except space, double quote and percent is sent unchanged.
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
# Servers join the values of repeated headers with a comma, so an identity is sent without one.
_SAFE_IDENTITY = _SAFE.replace(",", "")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")


def carries_event(headers: Iterable[tuple[str, str]]) -> bool:
    """Say whether a message claims to be a CloudEvent of any mode."""
    names = {name.lower(): value for name, value in headers}
    return "ce-specversion" in names or is_structured(names.get("content-type", ""))


def is_structured(content_type: str) -> bool:
    """Say whether a content type means whole events, of whatever format."""
    return content_type.strip().lower().startswith("application/cloudevents")


def from_http(headers: Iterable[tuple[str, str]], body: bytes) -> CloudEvent:
    """Read the one event of a request or response; `InvalidEventError` says what is wrong."""
    pairs = [(name.lower(), value) for name, value in headers]
    media_type = _media_type(dict(pairs))
    if media_type == _STRUCTURED:
        return from_json(body)
    if media_type.startswith("application/cloudevents"):
        raise UnsupportedEventFormatError(
            f"{media_type:.60} is not taken; send one event as {_STRUCTURED}", field="Content-Type"
        )
    attributes: dict[str, str] = {}
    for name, value in pairs:
        attribute = _attribute_of(name)
        if attribute is None:
            continue
        if attribute in attributes:
            raise InvalidEventError(f"{attribute[:64]!a} may occur once", field=attribute)
        attributes[attribute] = value if name == "content-type" else decode_value(attribute, value)
    if "specversion" not in attributes:
        raise InvalidEventError(
            f"no CloudEvent: send ce- headers, or Content-Type {_STRUCTURED}", field="specversion"
        )
    return create_event(attributes, body or None)


def to_http(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in binary mode."""
    headers = {
        f"ce-{name}": encode_value(name, value)
        for name, value in event.attributes.items()
        if name != "datacontenttype"
    }
    if "datacontenttype" in event.attributes:
        headers["content-type"] = event.attributes["datacontenttype"]
    return headers, event.data or b""


def encode_value(attribute: str, value: str) -> str:
    """Return an attribute's header as section 3.1.3.2 of the binding requires."""
    return quote(value, safe=_SAFE_IDENTITY if attribute in REQUIRED else _SAFE)


def decode_value(attribute: str, value: str) -> str:
    """Return an attribute without its quotes and percent-encoding."""
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        value = _QUOTED_PAIR.sub(r"\1", quoted[1])
    try:
        # Servers pass bytes that are not UTF-8 as surrogates.
        return unquote_to_bytes(value.encode("utf-8", "surrogateescape")).decode()
    except UnicodeError:
        raise InvalidEventError(f"{attribute[:64]!a} is not UTF-8", field=attribute) from None


def decoded_header(value: str) -> str:
    """Return a header's text; WSGI passes its bytes as Latin-1."""
    try:
        return value.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value


def _attribute_of(header: str) -> str | None:
    if header == "content-type":
        return "datacontenttype"
    # In HTTP, Content-Type takes the place of ce-datacontenttype.
    if header.startswith("ce-") and header != "ce-datacontenttype":
        return header.removeprefix("ce-")
    return None


def _media_type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
