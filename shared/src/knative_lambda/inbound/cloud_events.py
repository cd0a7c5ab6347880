"""CloudEvents 1.0 over HTTP: requests to events, replies to responses.

The SDK does the encoding. It lets through an empty id, any time and broken JSON, so what it
returns is held against the specification here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cloudevents.conversion import from_http, to_binary
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from knative_lambda.domain.errors import InvalidEventError, UnsupportedEventFormatError
from knative_lambda.domain.events import Event, reply_id, schema_url
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.domain.events import Reply

_CARRIED = ("correlationid", "traceparent", "tracestate")
_MAX_ATTRIBUTE = 2048
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,50})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_ModelT = TypeVar("_ModelT", bound=BaseModel)

_Text = Annotated[
    str, StringConstraints(min_length=1, max_length=_MAX_ATTRIBUTE, pattern=r"^[^\x00-\x1f\x7f]+$")
]


def _require_timestamp(time: object) -> object:
    """Numbers are times too for pydantic; the specification wants RFC 3339."""
    if not isinstance(time, str) or not _TIMESTAMP.fullmatch(time):
        raise ValueError("must be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z")
    return time


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999") from None


class _Attributes(BaseModel):
    """The context attributes that have a type (CloudEvents 1.0.2, section 3.1)."""

    model_config = ConfigDict(extra="ignore")

    id: _Text
    source: _Text
    type: _Text
    specversion: Annotated[str, StringConstraints(pattern=r"^1\.0$")]
    time: (
        Annotated[AwareDatetime, BeforeValidator(_require_timestamp), AfterValidator(_utc)] | None
    ) = None
    subject: _Text | None = None


class _Received(CloudEvent):
    """An event as it came: the SDK would invent a time where there is none."""

    @classmethod
    def create(cls, attributes: Mapping[str, Any], data: object) -> _Received:
        """Build one for the SDK."""
        received = cls(attributes, data)
        if attributes.get("time") is None:
            del received["time"]
        return received


_STRUCTURED = "application/cloudevents+json"
_NOT_EXTENSIONS = {*_Attributes.model_fields, "datacontenttype", "dataschema"}


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """Read a binary or structured event; `InvalidEventError` names the attribute at fault."""
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents") and media_type != _STRUCTURED:
        raise UnsupportedEventFormatError(
            f"{media_type:.60} is not taken; send one event as {_STRUCTURED}", field="Content-Type"
        )
    try:
        # Latin-1 is how WSGI hands headers over; an attribute that is not text fails below.
        received = from_http(_Received, headers, body)
    except (GenericException, ValueError, TypeError, AttributeError, KeyError, RecursionError) as e:
        # Not the SDK's own message: it quotes the body.
        raise InvalidEventError(
            "not a CloudEvent: send ce- headers with the data as body (binary mode), or JSON with "
            f"Content-Type application/cloudevents+json (structured mode) [{type(e).__name__}]"
        ) from e
    attributes: dict[str, Any] = dict(received.get_attributes())
    try:
        known = _Attributes.model_validate(attributes)
    except ValidationError as error:
        raise _invalid(error) from error
    extensions = {
        name: value
        for name, value in attributes.items()
        if name not in _NOT_EXTENSIONS and isinstance(value, str)
    }
    return Event(
        id=known.id,
        source=known.source,
        type=known.type,
        time=known.time,
        subject=known.subject,
        data=received.get_data(),
        extensions=extensions,
    )


def read_data(event: Event, model: type[_ModelT]) -> _ModelT:
    """Validate the data of an event; `InvalidEventError` names the field at fault."""
    data = {} if event.data is None else event.data
    if not isinstance(data, dict):
        raise InvalidEventError(
            "must be a JSON object, sent with Content-Type application/json", field="data"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _invalid(error) from error


def read_function(event: Event) -> FunctionId:
    """Read which lambda an event is about from its subject."""
    if event.subject is None:
        raise InvalidEventError("is missing; it is <namespace>/<name>", field="subject")
    try:
        return FunctionId.parse(event.subject)
    except ValueError as error:
        raise InvalidEventError(str(error), field="subject") from error


def encode_reply(reply: Reply, event: Event, *, source: str) -> tuple[dict[str, str], bytes]:
    """Encode a reply in binary mode; the same event always gets the same reply id."""
    attributes = {
        "id": reply_id(event.source, event.id, reply.type),
        "source": source,
        "type": reply.type,
        "datacontenttype": "application/json",
        "dataschema": schema_url(reply.type),
        "time": datetime.now(UTC).isoformat(),
        "correlationid": event.correlation_id,
    }
    if reply.function is not None:
        attributes["subject"] = str(reply.function)
    for name in _CARRIED:
        if (value := event.carried(name)) is not None:
            attributes[name] = value
    headers, body = to_binary(CloudEvent(attributes, reply.data.to_json()))
    return headers, body


def _invalid(error: ValidationError) -> InvalidEventError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:100]
    message = first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    return InvalidEventError(
        f"{message} (and {more} more)" if more else message, field=field or "data"
    )
