"""CloudEvents 1.0: the attributes of an event, checked, and its data as bytes."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.uris import is_uri, is_uri_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = ("id", "source", "type")
OPTIONAL = ("datacontenttype", "dataschema", "subject", "time")

# The specification requires lower-case letters and digits and recommends up to 20 characters;
# longer names are accepted up to a length that every transport carries.
_NAME = re.compile(r"[a-z0-9]{1,64}")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})((?:\.\d+)?)([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# More than any sender has, and few enough for HTTP headers and every database.
_MAX_NUMBER = 256
# The size of event that CloudEvents requires every intermediary to forward.
_MAX_BYTES = 64 * 1024
# Control characters, surrogates and noncharacters are no part of a CloudEvents String.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One valid event; attribute values are in their canonical string form."""

    attributes: Mapping[str, str]
    data: bytes | None = None

    def extended(self, extensions: Mapping[str, str]) -> CloudEvent:
        """Return the same event with these extension attributes set."""
        return replace(self, attributes={**self.attributes, **extensions})

    def without(self, name: str) -> CloudEvent:
        """Return the same event less one attribute."""
        kept = {key: value for key, value in self.attributes.items() if key != name}
        return replace(self, attributes=kept)


def create_event(attributes: Mapping[str, str], data: bytes | None = None) -> CloudEvent:
    """Check every attribute; `InvalidEventError` names the first one that is wrong."""
    _check_size(attributes)
    for name, value in attributes.items():
        _check_attribute(name, value)
    if attributes.get("specversion") != "1.0":
        raise InvalidEventError("specversion must be 1.0", field="specversion")
    for name in REQUIRED:
        if not attributes.get(name):
            raise InvalidEventError(f"{name} must be there and not empty", field=name)
    for name in OPTIONAL:
        if attributes.get(name) == "":
            raise InvalidEventError(f"{name} is empty; leave it out instead", field=name)
    _check_types(attributes)
    return CloudEvent(dict(attributes), data)


def check_number(number: int) -> None:
    """Reject more attributes than an event may have, before any of them is copied."""
    if number > _MAX_NUMBER:
        raise InvalidEventError(
            f"the event has {number} attributes and may have {_MAX_NUMBER}; the rest is data",
            field="attributes",
        )


def _check_size(attributes: Mapping[str, str]) -> None:
    check_number(len(attributes))
    size = sum(
        len(name) + len(value.encode(errors="surrogatepass")) for name, value in attributes.items()
    )
    if size > _MAX_BYTES:
        raise InvalidEventError(
            f"the attributes have {size} bytes and may have {_MAX_BYTES}; the rest is data",
            field="attributes",
        )


def _check_attribute(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name == "data":
        readable = name[:64].encode("ascii", "backslashreplace").decode()
        raise InvalidEventError(
            f"attribute name {readable!r} must be 1 to 64 lower-case letters and digits",
            field=readable,
        )
    if _FORBIDDEN.search(value):
        raise InvalidEventError(
            f"{name} must hold no control characters and no unpaired surrogates", field=name
        )


def _check_types(attributes: Mapping[str, str]) -> None:
    if not is_uri_reference(attributes["source"]):
        raise InvalidEventError("source must be a URI-reference (RFC 3986)", field="source")
    if "dataschema" in attributes and not is_uri(attributes["dataschema"]):
        raise InvalidEventError(
            "dataschema must be an absolute URI, such as https://example.com/schema.json",
            field="dataschema",
        )
    if "time" in attributes:
        parse_time(attributes["time"])


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 timestamp; a leap second is the second before it."""
    match = _TIME.fullmatch(text)
    if match is not None:
        date, minutes, seconds, fraction, zone = match.groups()
        # RFC 3339 has leap seconds, Python does not.
        seconds = "59" if seconds == "60" else seconds
        with suppress(ValueError):
            return datetime.fromisoformat(f"{date}T{minutes}:{seconds}{fraction}{zone.upper()}")
    raise InvalidEventError("time must be an RFC 3339 timestamp with a time zone", field="time")
