"""What CloudEvents 1.0 demands of context attributes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambda_runtime.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("id", "source", "type")
# Optional, but not empty where they are given.
_NOT_EMPTY = ("subject", "time", "dataschema", "datacontenttype")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EXTENSION_VALUES = (str, bool, int)


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Refuse, with 400 and the attribute's name, what is no CloudEvent 1.0."""
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
    time = attributes.get("time")
    if time is not None:
        parse_time(time)


def check_structured_names(attributes: Mapping[str, Any]) -> None:
    """Names and types of a JSON document's members; headers cannot get these wrong."""
    for name, value in attributes.items():
        check_name(name)
        wanted = str if name in _REQUIRED or name in _NOT_EMPTY else _EXTENSION_VALUES
        if not isinstance(value, wanted):
            raise invalid(name, f'the attribute "{name}" has the JSON type of {value!r:.40}')


def check_name(name: str) -> None:
    """Lower-case letters and digits, as the specification says."""
    if not (name.isalnum() and name.isascii() and name == name.lower()) or name == "data":
        raise invalid(
            name, f'"{name:.40}" is no attribute name: lower-case letters and digits only'
        )


def parse_time(text: Any) -> datetime:
    """An RFC 3339 time; a leap second is the second before it."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise invalid("time", 'the attribute "time" is no RFC 3339 time')
    if match[1] == "60":
        text = f"{text[: match.start(1)]}59{text[match.end(1) :]}"
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise invalid("time", 'the attribute "time" is no RFC 3339 time') from None


def invalid(field: str, message: str) -> RefusedRequestError:
    """The refusal of an event for one of its attributes."""
    return RefusedRequestError(400, "InvalidEvent", message, field)
