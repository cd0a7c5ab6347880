"""Events of the control plane in HTTP: requests to events, replies to responses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from pydantic import BaseModel, ValidationError

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import Event, reply_id, schema_url
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.problems import place_of, words_of
from knative_lambda.inbound.http_binding import (
    decoded_header,
    encode_value,
    from_http,
    is_structured,
)
from knative_lambda.inbound.json_format import is_json
from knative_lambda.inbound.portable_json import loads
from knative_lambda.inbound.valid_event import OPTIONAL, REQUIRED, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.domain.events import Reply
    from knative_lambda.inbound.valid_event import CloudEvent as ValidEvent

_CARRIED = ("correlationid", "traceparent", "tracestate")
_MAX_ATTRIBUTE = 2048
_NOT_EXTENSIONS = {"specversion", *REQUIRED, *OPTIONAL}
_ModelT = TypeVar("_ModelT", bound=BaseModel)


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """Read a binary or structured event; `InvalidEventError` names the attribute at fault."""
    given = {name.lower(): decoded_header(value) for name, value in headers.items()}
    received = from_http(given.items(), body)
    attributes = received.attributes
    for name in (*REQUIRED, "subject"):
        if len(attributes.get(name, "")) > _MAX_ATTRIBUTE:
            raise InvalidEventError(f"may have {_MAX_ATTRIBUTE} characters", field=name)
    if not is_structured(given.get("content-type", "")):
        _reject_joined(given)
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        time=_utc(attributes["time"]) if "time" in attributes else None,
        subject=attributes.get("subject"),
        data=_data(received),
        extensions={k: v for k, v in attributes.items() if k not in _NOT_EXTENSIONS},
    )


def _reject_joined(headers: Mapping[str, str]) -> None:
    """Reject a repeated identity header: WSGI joins the two with a comma."""
    for name in REQUIRED:
        if "," in headers.get(f"ce-{name}", ""):
            raise InvalidEventError(
                f"{name} may occur once; send a comma in ce-{name} as %2C", field=name
            )


def _utc(text: str) -> datetime:
    try:
        return parse_time(text).astimezone(UTC)
    except OverflowError:
        raise InvalidEventError("time lies outside the years 1 to 9999", field="time") from None


def _data(event: ValidEvent) -> Any:  # noqa: ANN401  # what the sender sent
    if event.data is None:
        return None
    try:
        return loads(event.data)
    except (ValueError, RecursionError):
        content_type = event.attributes.get("datacontenttype", "")
        if content_type and is_json(content_type):
            raise InvalidEventError("the data is not valid JSON in UTF-8", field="data") from None
    return event.data


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
        "specversion": "1.0",
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
    # The SDK leaves the values as they are, and a header is ASCII.
    return {name: _header(name, value) for name, value in headers.items()}, body


def _header(name: str, value: str) -> str:
    attribute = name.removeprefix("ce-")
    return value if attribute == name else encode_value(attribute, value)


def _invalid(error: ValidationError) -> InvalidEventError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field, message = place_of(first)[:100], words_of(first)
    more = error.error_count() - 1
    return InvalidEventError(
        f"{message} (and {more} more)" if more else message, field=field or "data"
    )
