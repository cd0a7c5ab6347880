"""CloudEvents 1.0: the attributes of an event, checked, and its data as bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = ("id", "source", "type")
OPTIONAL = ("datacontenttype", "dataschema", "subject", "time")

# The specification wants lower-case letters and digits and advises 20 characters; what it only
# advises is accepted up to a length that every transport carries.
_NAME = re.compile(r"[a-z0-9]{1,64}")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
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
    given = {
        name: value for name, value in attributes.items() if value != "" or name not in OPTIONAL
    }
    for name, value in given.items():
        _check_attribute(name, value)
    if given.get("specversion") != "1.0":
        raise InvalidEventError("specversion must be 1.0", field="specversion")
    for name in REQUIRED:
        if not given.get(name):
            raise InvalidEventError(f"{name} must be there and not empty", field=name)
    if "time" in given:
        _check_time(given["time"])
    return CloudEvent(given, data)


def _check_attribute(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name == "data":
        readable = name[:64].encode("ascii", "backslashreplace").decode()
        raise InvalidEventError(
            f"attribute name {readable!r} must be 1 to 64 lower-case letters and digits"
        )
    if _FORBIDDEN.search(value):
        raise InvalidEventError(
            f"{name} must hold no control characters and no unpaired surrogates", field=name
        )


def _check_time(value: str) -> None:
    match = _TIME.fullmatch(value)
    if match is not None:
        date, minutes, seconds, zone = match.groups()
        # RFC 3339 knows the leap second, Python does not.
        seconds = "59" if seconds == "60" else seconds
        try:
            datetime.fromisoformat(f"{date}T{minutes}:{seconds}{zone.upper()}")
        except ValueError:
            pass
        else:
            return
    raise InvalidEventError("time must be an RFC 3339 timestamp with a time zone", field="time")
