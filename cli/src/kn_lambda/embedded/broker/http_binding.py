"""The HTTP protocol binding: events from headers and body and back, binary or structured."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from kn_lambda.embedded.broker.event import CloudEvent, create_event
from kn_lambda.embedded.broker.json_format import from_json
from knative_lambda.domain.errors import InvalidEventError

if TYPE_CHECKING:
    from collections.abc import Iterable

_STRUCTURED = "application/cloudevents+json"
# Everything printable in ASCII except space, double quote and percent travels as it is.
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class UnsupportedModeError(InvalidEventError):
    """A batch, or a format other than JSON."""


def carries_event(headers: Iterable[tuple[str, str]]) -> bool:
    """Say whether a message claims to be a CloudEvent of any mode."""
    names = {name.lower(): value for name, value in headers}
    return "ce-specversion" in names or _media_type(names).startswith("application/cloudevents")


def from_http(headers: Iterable[tuple[str, str]], body: bytes) -> CloudEvent:
    """Read the one event of a request or response; `InvalidEventError` says what is wrong."""
    pairs = [(name.lower(), value) for name, value in headers]
    media_type = _media_type(dict(pairs))
    if media_type == _STRUCTURED:
        return from_json(body)
    if media_type.startswith("application/cloudevents"):
        raise UnsupportedModeError(
            f"Content-Type must be {_STRUCTURED}, or the event's own type with ce- headers; "
            "batches and other formats are not taken"
        )
    attributes: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith("ce-") and name != "ce-datacontenttype":
            attribute = name.removeprefix("ce-")
            if attribute in attributes:
                raise InvalidEventError("an attribute may be there once", field=attribute)
            attributes[attribute] = _decode(attribute, value)
        elif name == "content-type":
            attributes["datacontenttype"] = value
    if "specversion" not in attributes:
        raise InvalidEventError(
            f"no CloudEvent: send ce- headers, or Content-Type {_STRUCTURED}", field="specversion"
        )
    return create_event(attributes, body or None)


def to_http(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in binary mode."""
    headers = {
        f"ce-{name}": quote(value, safe=_SAFE)
        for name, value in event.attributes.items()
        if name != "datacontenttype"
    }
    if "datacontenttype" in event.attributes:
        headers["content-type"] = event.attributes["datacontenttype"]
    return headers, event.data or b""


def _media_type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _decode(attribute: str, value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise InvalidEventError(
            f"the percent-encoding of {attribute[:64]!a} is not UTF-8"
        ) from None
