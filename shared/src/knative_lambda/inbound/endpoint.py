"""One HTTP request, one event, one response: the status code tells the Broker what to do next.

functions-framework's own `cloud_event` signature responds with the text `OK`, which a Broker takes
for a failed delivery. So the functions register an `http` function, and this module does the rest.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    KnativeLambdaError,
    PermanentError,
    RetryableError,
    ThrottledError,
    UnsupportedEventFormatError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Request

    from knative_lambda.domain.events import Event, Reply

    Response = tuple[bytes, int, dict[str, str]]
    Handler = Callable[[Event], Reply | None]

MAX_BODY_BYTES = 1024 * 1024
# The Broker keeps 1024 bytes of an error body, base64-encoded.
_MAX_ERROR_BYTES = 512
_HEALTH = {"/health/liveness", "/health/readiness"}

STATUS_BY_ERROR: dict[type[Exception], HTTPStatus] = {
    EventTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedEventFormatError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidEventError: HTTPStatus.BAD_REQUEST,
    PermanentError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ThrottledError: HTTPStatus.TOO_MANY_REQUESTS,
    RetryableError: HTTPStatus.SERVICE_UNAVAILABLE,
    Exception: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error is that of the nearest class that it inherits from."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The function that functions-framework calls for every request.

    `handlers` is called for each event, and never for a health check.
    """

    source: str
    handlers: Callable[[], Mapping[str, Handler]]

    def __call__(self, request: Request) -> Response:
        """Respond to health checks and events; never raises."""
        response = response_without_event(request)
        if response is not None:
            return response
        # Health checks need no models, which take longer to load than anything else.
        from knative_lambda.inbound.cloud_events import decode  # noqa: PLC0415

        event: Event | None = None
        try:
            event = decode(dict(request.headers), _read_body(request))
            reply = self._handle(event)
            response = self._response(reply, event)
        except Exception as error:  # noqa: BLE001  # whatever it is, the Broker needs a status
            return error_response(error, event)
        _log.info("done", extra=_fields(event) | {"reply": reply and reply.type})
        return response

    def _handle(self, event: Event) -> Reply | None:
        handlers = self.handlers()
        if event.type not in handlers:
            known = ", ".join(sorted(handlers))
            raise InvalidEventError(
                f"{event.type[:100]} is not for this function, which takes {known}", field="type"
            )
        return handlers[event.type](event)

    def _response(self, reply: Reply | None, event: Event) -> Response:
        if reply is None:
            return b"", HTTPStatus.NO_CONTENT, {}
        from knative_lambda.inbound.cloud_events import encode_reply  # noqa: PLC0415

        headers, body = encode_reply(reply, event, source=self.source)
        return body, HTTPStatus.OK, headers


def response_without_event(request: Request) -> Response | None:
    """Respond to a health check, or a method that brings no event; None for what may be one."""
    if request.path in _HEALTH:
        return b"ok", HTTPStatus.OK, {"Content-Type": "text/plain"}
    if request.method != "POST":
        body = {"reason": "MethodNotAllowed", "message": "POST a CloudEvent"}
        return _json(body, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
    return None


def _read_body(request: Request) -> bytes:
    """Read up to the limit, whatever length the sender declares."""
    too_large = EventTooLargeError(
        f"an event may have {MAX_BODY_BYTES} bytes; put the source in storage and send its URI",
        field="data",
    )
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    body = read_at_most(request, MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise too_large
    encoding = request.headers.get("Content-Encoding")
    if not encoding:
        return body
    from knative_lambda.inbound.content_encoding import unpacked  # noqa: PLC0415  # rarely needed

    return unpacked(body, encoding, MAX_BODY_BYTES)


def read_at_most(request: Request, max_bytes: int) -> bytes:
    """Read the body up to that length; `InvalidEventError` where it is cut short."""
    body = bytearray()
    try:
        # One read may return less than everything.
        while (left := max_bytes - len(body)) and (chunk := request.stream.read(left)):
            body += chunk
    except HTTPException as error:
        raise InvalidEventError("the body ended before its Content-Length") from error
    return bytes(body)


def error_response(error: Exception, event: Event | None) -> Response:
    """Log an error and return a response with its status."""
    status = next(STATUS_BY_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_BY_ERROR)
    fields = _fields(event) | {"status": int(status)}
    if not isinstance(error, KnativeLambdaError):
        _log.error("a bug", exc_info=error, extra=fields)
        # The error may quote anything, so it goes to the log and not to the sender.
        body = {
            "reason": "InternalError",
            "message": "a bug in Knative Lambda; the log has the traceback",
        }
        return _json(body, status, {})
    _log.warning(error.message, extra=fields | {"reason": error.reason})
    body = {"reason": error.reason, "message": error.message}
    if error.field is not None:
        body["field"] = error.field
    headers = {}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(max(1, round(error.retry_after.total_seconds())))
    return _json(body, status, headers)


def _json(body: dict[str, str], status: HTTPStatus, headers: dict[str, str]) -> Response:
    for part in ("message", "field"):
        while body.get(part) and (excess := len(json.dumps(body)) - _MAX_ERROR_BYTES) > 0:
            # A character takes one to twelve bytes in ASCII JSON.
            body = body | {part: body[part][: -max(1, excess // 12)]}
    return json.dumps(body).encode(), status, headers | {"Content-Type": "application/json"}


def _fields(event: Event | None) -> dict[str, object]:
    if event is None:
        return {}
    return {
        "event_id": event.id,
        "event_type": event.type,
        "subject": event.subject,
        "correlationid": event.extensions.get("correlationid"),
    }
