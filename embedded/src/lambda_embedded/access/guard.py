"""Stands before the handlers of a port that only holders of the token may use."""

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
    """Let in what has the token, whatever the path is, but for `open_paths`.

    `reject` says no in the words of the port.
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
