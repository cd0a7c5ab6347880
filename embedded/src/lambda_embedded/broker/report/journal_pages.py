"""The journal over HTTP: the newest events and dead letters as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lambda_embedded.broker.receive.ingress import rejection
from lambda_embedded.broker.report.journal import LARGEST_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

_FILTERS = ("subject", "type", "correlation")
_DEFAULT_PAGE = 100


class JournalPages:
    """Handlers of `/-/events` and `/-/dead-letters`, both with `limit` and filters."""

    def __init__(
        self,
        events: Callable[..., list[dict[str, Any]]],
        dead_letters: Callable[..., list[dict[str, Any]]],
    ) -> None:
        self._events = events
        self._dead_letters = dead_letters

    async def events(self, request: web.Request) -> web.Response:
        """Respond with events and the state of their deliveries."""
        return _page(request, self._events, "events")

    async def dead_letters(self, request: web.Request) -> web.Response:
        """Respond with dead letters."""
        return _page(request, self._dead_letters, "deadLetters")


def _page(
    request: web.Request, read: Callable[..., list[dict[str, Any]]], name: str
) -> web.Response:
    text = request.query.get("limit", str(_DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= LARGEST_PAGE:
        message = f"limit must be a number from 1 to {LARGEST_PAGE}"
        return rejection(HTTPStatus.BAD_REQUEST, "InvalidQuery", message)
    filters = {key: request.query[key] for key in _FILTERS if key in request.query}
    return web.json_response({name: read(int(text), **filters)})
