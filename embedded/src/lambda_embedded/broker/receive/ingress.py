"""Events that come in over HTTP: `POST /<namespace>/<broker>`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from aiohttp import hdrs, web

from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    UnsupportedContentEncodingError,
    UnsupportedEventFormatError,
)
from knative_lambda.inbound.content_encoding import unpacked
from knative_lambda.inbound.http_binding import from_http
from lambda_embedded.access.patience import SlowBodyError, read_body
from lambda_embedded.broker.receive.forwarded_headers import forwarded_headers
from lambda_embedded.broker.receive.intake import UnknownBrokerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.inbound.valid_event import CloudEvent

logger = logging.getLogger(__name__)

_STATUS: dict[type[InvalidEventError], HTTPStatus] = {
    EventTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedContentEncodingError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedEventFormatError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


class Accept(Protocol):
    """Stores an event durably; `InvalidEventError` and `UnknownBrokerError` say why not."""

    async def __call__(
        self, namespace: str, broker: str, event: CloudEvent, headers: Mapping[str, str], /
    ) -> None:
        """Return when the event is durable."""
        ...


class Ingress:
    """Turns each request into an event and responds 202 once the event is durable."""

    def __init__(self, accept: Accept, *, body_limit_bytes: int) -> None:
        self._accept = accept
        self._body_limit_bytes = body_limit_bytes

    async def handle(self, request: web.Request) -> web.Response:
        """Accept the event of a request, or say why it is rejected."""
        try:
            event = from_http(request.headers.items(), await self._read(request))
            await self._accept(
                request.match_info["namespace"],
                request.match_info["broker"],
                event,
                forwarded_headers(request.headers.items()),
            )
        except InvalidEventError as error:
            status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
            return rejection(status, error.reason, error.message, error.field)
        except SlowBodyError as error:
            return rejection(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", str(error))
        except UnknownBrokerError as error:
            return rejection(HTTPStatus.NOT_FOUND, "UnknownBroker", str(error)[:400])
        except Exception:
            logger.exception("an event could not be stored")
            message = "the event was not stored; send it again"
            return rejection(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable", message)
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _read(self, request: web.Request) -> bytes:
        encoding = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, []))
        try:
            return unpacked(await read_body(request), encoding, self._body_limit_bytes)
        except web.HTTPRequestEntityTooLarge:
            raise EventTooLargeError(
                f"the event is larger than {self._body_limit_bytes} bytes"
            ) from None
        except web.RequestPayloadError:
            raise InvalidEventError("the body cannot be read") from None


def rejection(
    status: HTTPStatus, reason: str, message: str, field: str | None = None
) -> web.Response:
    """Return the response to a request that is not accepted; `field` names the attribute."""
    body = {"reason": reason, "message": message}
    if field is not None:
        body["field"] = field[:64]
    return web.json_response(body, status=status)
