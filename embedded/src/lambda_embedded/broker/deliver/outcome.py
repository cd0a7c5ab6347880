"""What a subscriber's answer means for the delivery, exactly as Knative reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.http_binding import carries_event, from_http
from lambda_embedded.broker.receive.forwarded_headers import carried_headers
from lambda_embedded.eventing.delivery_spec import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.inbound.valid_event import CloudEvent

_RETRIED_CLIENT_ERRORS = {
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_PACED = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer over HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The subscriber took the event."""

    status: int
    reply: CloudEvent | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What goes along with the reply."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The subscriber did not take the event."""

    status: int | None  # None: there was no answer
    error: str
    body: bytes = b""
    again: bool = True
    retry_after: timedelta | None = None


def no_answer(error: str) -> Failed:
    """Return the outcome of a connection error or a timeout."""
    return Failed(None, error, f"dispatch error: {error}".encode())


def classify(response: Response) -> Delivered | Failed:
    """Say what an answer of a subscriber means.

    Only 200 brings a reply: an event in a 202 tells how far the work has come, and is for nobody
    else (Knative's data-plane specification, "Derived (Reply) Events").
    """
    if response.status == HTTPStatus.OK:
        return _classify_reply(response)
    if HTTPStatus.OK < response.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(response.status)
    retried = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    again = retried or response.status in _RETRIED_CLIENT_ERRORS
    asked = {name.lower(): value for name, value in response.headers}.get("retry-after")
    return Failed(
        response.status,
        f"the subscriber answered {response.status}",
        response.body,
        again=again,
        retry_after=parse_retry_after(asked, datetime.now(UTC))
        if response.status in _PACED
        else None,
    )


def classify_sink(response: Response) -> Delivered | Failed:
    """Say what an answer of a dead letter sink means: its body does not matter."""
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(response.status)
    return classify(response)


def _classify_reply(response: Response) -> Delivered | Failed:
    if not carries_event(response.headers):
        if not response.body:
            return Delivered(response.status)
        return Failed(
            HTTPStatus.BAD_GATEWAY,
            f"the subscriber answered {response.status} with a body that is no CloudEvent; "
            "an answer must be empty or one CloudEvent",
            response.body,
        )
    try:
        event = from_http(response.headers, response.body)
    except InvalidEventError as error:
        return Failed(
            HTTPStatus.BAD_GATEWAY, f"the reply is no valid CloudEvent: {error}", response.body
        )
    return Delivered(response.status, event, carried_headers(response.headers))
