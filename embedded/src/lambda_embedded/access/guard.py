"""The middleware of ports that require the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.access.access import NO_TOKEN
from lambda_embedded.access.cors import add_cors, preflight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from lambda_embedded.access.access import Access, Denial

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(
    application: web.Application,
    access: Access,
    *,
    open_paths: Collection[str],
    reject: Callable[[Denial], web.Response],
) -> None:
    """Require the token on every path except `open_paths`.

    `reject` makes the response of a denied request.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if denial := access.denial(request):
            return reject(denial)
        if response := preflight(request, access):
            return response
        if request.path not in open_paths and not access.holds_token(request):
            return reject(NO_TOKEN)
        return await handler(request)

    application.middlewares.insert(0, check)
    add_cors(application, access)
