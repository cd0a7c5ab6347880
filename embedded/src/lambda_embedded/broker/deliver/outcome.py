"""What a subscriber's response means for the delivery, exactly as Knative reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.http_binding import carries_event, from_http
from lambda_embedded.broker.receive.forwarded_headers import forwarded_headers
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
_WITH_RETRY_AFTER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The subscriber accepted the event."""

    status: int
    reply: CloudEvent | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that travel with the reply."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The subscriber did not accept the event."""

    status: int | None  # None: there was no response
    error: str
    body: bytes = b""
    retryable: bool = True
    retry_after: timedelta | None = None


def no_response(error: str) -> Failed:
    """Return the outcome of a connection error or a timeout."""
    return Failed(None, error, f"dispatch error: {error}".encode())


def classify(response: Response) -> Delivered | Failed:
    """Return the outcome of a delivery to a subscriber.

    Only a 200 carries a reply: an event in a 202 reports progress to the sender and is not routed
    (Knative's data-plane specification, "Derived (Reply) Events").
    """
    if response.status == HTTPStatus.OK:
        return _classify_reply(response)
    if HTTPStatus.OK < response.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(response.status)
    is_server_error = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    retry_after = {name.lower(): value for name, value in response.headers}.get("retry-after")
    return Failed(
        response.status,
        f"the subscriber responded with {response.status}",
        response.body,
        retryable=is_server_error or response.status in _RETRIED_CLIENT_ERRORS,
        retry_after=parse_retry_after(retry_after, datetime.now(UTC))
        if response.status in _WITH_RETRY_AFTER
        else None,
    )


def classify_sink(response: Response) -> Delivered | Failed:
    """Return the outcome of a delivery to a sink, whose response body does not matter."""
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(response.status)
    return classify(response)


def _classify_reply(response: Response) -> Delivered | Failed:
    if not carries_event(response.headers):
        if not response.body:
            return Delivered(response.status)
        return Failed(
            HTTPStatus.BAD_GATEWAY,
            f"the subscriber responded with {response.status} and a body that is not a CloudEvent; "
            "a response must be empty or one CloudEvent",
            response.body,
        )
    try:
        event = from_http(response.headers, response.body)
    except InvalidEventError as error:
        return Failed(
            HTTPStatus.BAD_GATEWAY, f"the reply is not a valid CloudEvent: {error}", response.body
        )
    return Delivered(response.status, event, forwarded_headers(response.headers))
