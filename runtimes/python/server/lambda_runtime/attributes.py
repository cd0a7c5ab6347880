"""What CloudEvents 1.0 demands of context attributes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambda_runtime.errors import RejectedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("id", "source", "type")
# Optional, but not empty where they are given.
_NOT_EMPTY = ("subject", "time", "dataschema", "datacontenttype")
_STRINGS = ("specversion", *_REQUIRED, *_NOT_EMPTY)
# More than any sender has, and few enough for the heads of HTTP and for every database.
_MAX_NUMBER = 256
# What CloudEvents has every intermediary forward, were it all of it attributes.
_MAX_BYTES = 64 * 1024
_INTEGERS = range(-(2**31), 2**31)
_NAME = re.compile(r"[a-z0-9]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
# Control characters, surrogates and noncharacters are no part of a CloudEvents String.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

# URIs by RFC 3986; spaces and characters beyond ASCII are taken, as Knative takes them.
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(
    r"(?:[^@\[\]\s]*@)?"  # user information
    r"(?:\[[0-9A-Fa-f:.]+\]|\[[vV][0-9A-Fa-f]+\.[^\[\]\s]+\]|[^@:\[\]\s<>\"\\^`{|}]*)"
    r"(?::[0-9]*)?"
)
_END_OF_SEGMENT = re.compile(r"[/?#]")


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Reject what is not a CloudEvent 1.0 with 400 and the attribute's name."""
    _check_size(attributes)
    for name, value in attributes.items():
        if isinstance(value, str) and _FORBIDDEN.search(value):
            raise invalid(name, f'the attribute "{name}" is not a string')
    specversion = attributes.get("specversion")
    if specversion != "1.0":
        found = "missing" if specversion is None else f'"{specversion}"'
        raise invalid("specversion", f"the CloudEvents version is {found}; it must be 1.0")
    for name in _REQUIRED:
        if not attributes.get(name):
            raise invalid(name, f'the attribute "{name}" is missing or empty')
    for name in _NOT_EMPTY:
        if attributes.get(name) == "":
            raise invalid(name, f'the attribute "{name}" is empty; leave it out instead')
    _check_types(attributes)


def check_number(number: int) -> None:
    """Reject more attributes than an event may have; before any of them is copied."""
    if number > _MAX_NUMBER:
        message = f"the event has {number} attributes and may have {_MAX_NUMBER}; the rest is data"
        raise invalid("attributes", message)


def _check_size(attributes: Mapping[str, Any]) -> None:
    check_number(len(attributes))
    size = sum(
        len(name) + len(str(value).encode(errors="surrogatepass"))
        for name, value in attributes.items()
    )
    if size > _MAX_BYTES:
        message = f"the attributes have {size} bytes and may have {_MAX_BYTES}; the rest is data"
        raise invalid("attributes", message)


def check_member(name: str, value: Any) -> Any:
    """The value of a JSON document's member as an attribute; headers cannot get its type wrong."""
    check_name(name)
    if isinstance(value, str):
        return value
    if name not in _STRINGS:
        if isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            # JSON has one kind of number: 5.0 is 5.
            value = int(value)
        if isinstance(value, int) and value in _INTEGERS:
            return value
    wanted = "a string" if name in _STRINGS else "a string, a boolean or a 32-bit integer"
    raise invalid(name, f'the attribute "{name}" must be {wanted}')


def check_name(name: str) -> None:
    """At most 64 lower-case letters and digits."""
    if not _NAME.fullmatch(name) or name == "data":
        raise invalid(
            name, f'"{name:.40}" is not an attribute name: 1 to 64 lower-case letters and digits'
        )


def parse_time(text: Any) -> datetime:
    """An RFC 3339 time; a leap second is the second before it."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise invalid("time", 'the attribute "time" is not an RFC 3339 time')
    if match[1] == "60":
        text = f"{text[: match.start(1)]}59{text[match.end(1) :]}"
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise invalid("time", 'the attribute "time" is not an RFC 3339 time') from None


def invalid(field: str, message: str) -> RejectedRequestError:
    """The rejection of an event for one of its attributes."""
    return RejectedRequestError(400, "InvalidEvent", message, field)


def _check_types(attributes: Mapping[str, Any]) -> None:
    if not _is_uri_reference(attributes["source"]):
        raise invalid("source", 'the attribute "source" is not a URI-reference')
    schema = attributes.get("dataschema")
    if schema is not None and not (_SCHEME.match(schema) and _is_uri_reference(schema)):
        raise invalid("dataschema", 'the attribute "dataschema" is not an absolute URI')
    time = attributes.get("time")
    if time is not None:
        parse_time(time)


def _is_uri_reference(text: str) -> bool:
    if _BAD_ESCAPE.search(text):
        return False
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    if rest.startswith("//"):
        return _AUTHORITY.fullmatch(_END_OF_SEGMENT.split(rest[2:], maxsplit=1)[0]) is not None
    # The first segment of a relative reference would look like a scheme.
    return scheme is not None or ":" not in _END_OF_SEGMENT.split(rest, maxsplit=1)[0]
