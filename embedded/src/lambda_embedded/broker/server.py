"""The Broker's port: events in, and the journal, for holders of the platform's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.access.guard import guard
from lambda_embedded.broker.receive.ingress import Ingress, rejection
from lambda_embedded.broker.report.journal_pages import JournalPages

if TYPE_CHECKING:
    from lambda_embedded.access.access import Access, Denial
    from lambda_embedded.broker.composition import Broker

_HEALTH = ("/health", "/health/liveness", "/health/readiness")


def create_server(broker: Broker, access: Access) -> web.Application:
    """Return the application: `POST /<namespace>/<broker>`, `/health`, `/-/...`.

    Every path but `/health` requires the token: an event may deploy code. The application unpacks
    request bodies itself, so its runner must be given `auto_decompress=False`.
    """
    limit = broker.settings.body_limit_bytes
    application = web.Application(client_max_size=limit)
    guard(application, access, open_paths=_HEALTH, reject=_denied)
    ingress = Ingress(broker.accept, body_limit_bytes=limit)
    application.router.add_post("/{namespace}/{broker}", ingress.handle)
    application.router.add_post("/{namespace}/{broker}/", ingress.handle)
    pages = JournalPages(broker.journal, broker.dead_letters)
    application.router.add_get("/-/events", pages.events)
    application.router.add_get("/-/dead-letters", pages.dead_letters)
    for path in _HEALTH:
        application.router.add_get(path, _health)
    return application


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK\n")


def _denied(denial: Denial) -> web.Response:
    return rejection(denial.status, denial.reason, denial.message)
