"""Dead letters over HTTP: whatever a Broker sends is kept, since nobody else would.

So nothing is checked but that an event has an identity: it may be dead because it is invalid.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.endpoint import error_response, read_at_most, response_without_event
from knative_lambda.inbound.http_binding import decode_value, decoded_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

    from knative_lambda.domain.dead_letter import DeadLetter
    from knative_lambda.inbound.endpoint import Response
    from knative_lambda.use_cases.keep_dead_letter import KeepDeadLetter

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Brokers and lambdas accept less."""
_IDENTITY = ("id", "source", "type")
# The Broker says why in these; they are not part of the event.
_ERROR = "ce-knativeerror"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterEndpoint:
    """functions-framework calls it for every request; it calls `keep` for every letter."""

    keep: Callable[[], KeepDeadLetter]

    def __call__(self, request: Request) -> Response:
        """Respond 204 once the letter is stored; never raises."""
        response = response_without_event(request)
        if response is not None:
            return response
        try:
            letter = read_letter(request)
            uri = self.keep()(letter)
        except Exception as error:  # noqa: BLE001  # whatever it is, the Broker needs a status
            return error_response(error, None)
        _log.warning(
            "kept a dead letter",
            extra={
                "event_id": letter.id,
                "event_type": letter.type,
                "destination": letter.destination,
                "status": letter.status,
                "uri": uri,
            },
        )
        return b"", HTTPStatus.NO_CONTENT, {}


def read_letter(request: Request) -> DeadLetter:
    """Read a delivery in binary or structured mode; `InvalidEventError` if it is not an event."""
    from knative_lambda.domain.dead_letter import DeadLetter  # noqa: PLC0415  # see endpoint.py

    body = read_at_most(request, MAX_BODY_BYTES + 1)
    headers = {name.lower(): value for name, value in request.headers.items()}
    said: dict[str, Any] = {
        name.removeprefix("ce-"): _meant(value)
        for name, value in headers.items()
        if name[:3] == "ce-"
    }
    if headers.get("content-type", "").lower().startswith("application/cloudevents"):
        said = _structured(body) | said
    if not all(isinstance(said.get(name), str) and said[name] for name in _IDENTITY):
        raise InvalidEventError("not a CloudEvent: it has no id, source and type")
    kept = {
        name: value
        for name, value in headers.items()
        if name == "content-type" or (name.startswith("ce-") and not name.startswith(_ERROR))
    }
    return DeadLetter(
        **{name: str(said[name]) for name in _IDENTITY},
        headers=kept,
        body=body[:MAX_BODY_BYTES],
        is_cut=len(body) > MAX_BODY_BYTES,
        destination=str(said.get("knativeerrordest", "")),
        status=str(said.get("knativeerrorcode", "")),
        error=_decoded(str(said.get("knativeerrordata", ""))),
    )


def _meant(value: str) -> str:
    """Return an attribute without quotes and percent-encoding: an event has one identity."""
    try:
        return decode_value("", decoded_header(value))
    except InvalidEventError:
        return value


def _structured(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _decoded(error: str) -> str:
    """What the subscriber responded, which Brokers encode in base64."""
    try:
        return base64.b64decode(error, validate=True).decode()
    except (binascii.Error, ValueError):
        return error
