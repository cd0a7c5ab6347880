"""The Broker over HTTP: events in, and the journal, for holders of the platform's token."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    UnsupportedContentEncodingError,
    UnsupportedEventFormatError,
)
from knative_lambda.inbound.content_encoding import unpacked
from knative_lambda.inbound.http_binding import from_http
from lambda_embedded.access.guard import guard
from lambda_embedded.access.patience import SlowBodyError, read_body
from lambda_embedded.broker.broker import UnknownBrokerError
from lambda_embedded.broker.receive.forwarded_headers import carried_headers
from lambda_embedded.broker.report.journal import LARGEST_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.access.access import Access, Denial
    from lambda_embedded.broker.broker import Broker

logger = logging.getLogger(__name__)

_HEALTH = ("/health", "/health/liveness", "/health/readiness")
_FILTERS = ("subject", "type", "correlation")
_DEFAULT_PAGE = 100
_STATUS: dict[type[InvalidEventError], HTTPStatus] = {
    EventTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedContentEncodingError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedEventFormatError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


def create_ingress(broker: Broker, access: Access) -> web.Application:
    """Return the application: `POST /<namespace>/<broker>`, `/health`, `/-/...`.

    It unpacks bodies itself: whoever runs it says `auto_decompress=False`.

    All but `/health` takes the token: whoever sends an event may deploy code by it.
    """
    application = web.Application(client_max_size=broker.settings.body_limit_bytes)
    guard(application, access, open_paths=_HEALTH, reject=_denied)
    ingress = _Ingress(broker)
    application.router.add_post("/{namespace}/{broker}", ingress.accept)
    application.router.add_post("/{namespace}/{broker}/", ingress.accept)
    application.router.add_get("/-/events", ingress.events)
    application.router.add_get("/-/dead-letters", ingress.dead_letters)
    for path in _HEALTH:
        application.router.add_get(path, _health)
    return application


class _Ingress:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def accept(self, request: web.Request) -> web.Response:
        try:
            event = from_http(request.headers.items(), await self._read(request))
            await self._broker.accept(
                request.match_info["namespace"],
                request.match_info["broker"],
                event,
                carried_headers(request.headers.items()),
            )
        except InvalidEventError as error:
            status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
            return _refusal(status, error.reason, error.message, error.field)
        except SlowBodyError as error:
            return _refusal(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", str(error))
        except UnknownBrokerError as error:
            return _refusal(HTTPStatus.NOT_FOUND, "UnknownBroker", str(error)[:400])
        except Exception:
            logger.exception("an event could not be stored")
            message = "the event was not stored; send it again"
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable", message)
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _read(self, request: web.Request) -> bytes:
        limit = self._broker.settings.body_limit_bytes
        encoding = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, []))
        try:
            return unpacked(await read_body(request), encoding, limit)
        except web.HTTPRequestEntityTooLarge:
            raise EventTooLargeError(f"the event is larger than {limit} bytes") from None
        except web.RequestPayloadError:
            raise InvalidEventError("the body cannot be read") from None

    async def events(self, request: web.Request) -> web.Response:
        return _page(request, self._broker.journal, "events")

    async def dead_letters(self, request: web.Request) -> web.Response:
        return _page(request, self._broker.dead_letters, "deadLetters")


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK\n")


def _page(
    request: web.Request, read: Callable[..., list[dict[str, Any]]], name: str
) -> web.Response:
    text = request.query.get("limit", str(_DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= LARGEST_PAGE:
        message = f"limit must be a number from 1 to {LARGEST_PAGE}"
        return _refusal(HTTPStatus.BAD_REQUEST, "InvalidQuery", message)
    filters = {key: request.query[key] for key in _FILTERS if key in request.query}
    return web.json_response({name: read(int(text), **filters)})


def _denied(denial: Denial) -> web.Response:
    return _refusal(denial.status, denial.reason, denial.message)


def _refusal(
    status: HTTPStatus, reason: str, message: str, field: str | None = None
) -> web.Response:
    body = {"reason": reason, "message": message}
    if field is not None:
        body["field"] = field[:64]
    return web.json_response(body, status=status)
