"""The port that callers know: forwards to the function, whichever process serves it by then.

Like the gateway of the embedded platform, it rejects foreign host names and web pages, and ends
what takes longer than `timeoutSeconds`. A request that comes during a restart waits for its end.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from lambda_embedded.access.cors import add_cors, preflight
from lambda_embedded.access.patience import SlowBodyError
from lambda_embedded.serving.gateway.forwarding import (
    BEGUN,
    Message,
    NothingSentError,
    Upstream,
    abort,
    forward,
)
from lambda_embedded.serving.gateway.request_body import RequestBody
from lambda_embedded.serving.gateway.responses import error_response
from lambda_embedded.serving.gateway.server import proxy_runner
from lambda_embedded.serving.held_bytes import HeldBytes
from lambda_embedded.serving.settings import ServingSettings

if TYPE_CHECKING:
    import aiohttp

    from lambda_embedded.access.access import Access

_TRIES = 20
_PAUSE_SECONDS = 0.05


class NotServingError(Exception):
    """The function cannot be started as it is; the message says why."""


class Served(Protocol):
    """What the door needs to know of the function behind it."""

    @property
    def timeout_seconds(self) -> float | None:
        """How long a request may take; None while it is debugged."""
        ...

    async def process(self) -> Upstream:
        """Return the process that serves now, as soon as it does; `NotServingError`."""
        ...


class FrontDoor:
    """Handles every request of the port."""

    def __init__(self, served: Served, session: aiohttp.ClientSession, access: Access) -> None:
        self._served = served
        self._session = session
        self._access = access
        self._settings = ServingSettings()
        self._held = HeldBytes(self._settings.held_bytes_limit)

    def runner(self) -> web.AppRunner:
        """Return what serves it."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.handle)
        add_cors(application, self._access)
        return proxy_runner(application)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Return the function's response, or an error in JSON as the platform's gateway sends."""
        if denial := self._access.denial(request):
            return error_response(denial.status, denial.reason, denial.message)
        if response := preflight(request, self._access):
            return response
        try:
            return await self._in_time(request)
        except SlowBodyError:
            message = "the body of the request did not arrive in time"
            return error_response(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", message)
        except NotServingError as error:
            return error_response(HTTPStatus.SERVICE_UNAVAILABLE, "NotReady", str(error))

    async def _in_time(self, request: web.Request) -> web.StreamResponse:
        seconds = self._served.timeout_seconds
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await self._serve(request)
        except TimeoutError:
            if not deadline.expired():
                raise
            if (begun := request.get(BEGUN)) is not None:
                return abort(request, begun)
            message = f"no complete response after {seconds:g} s (timeoutSeconds)"
            return error_response(HTTPStatus.GATEWAY_TIMEOUT, "Timeout", message)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = RequestBody(request, self._settings, self._held)
        try:
            await body.begin()
            for _ in range(_TRIES):
                process = await self._served.process()
                try:
                    return await forward(request, process, self._session, _message(request, body))
                except NothingSentError:
                    # It is about to be replaced, or has just ended.
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            body.close()
        message = "the function's process accepts no connections"
        return error_response(HTTPStatus.BAD_GATEWAY, "FunctionUnreachable", message)


def _message(request: web.Request, body: RequestBody) -> Message:
    raw = request.raw_path
    target = raw if raw.startswith("/") else request.rel_url.raw_path_qs
    return Message(target=target, prefix="", body=body, is_awaited=lambda: False, has_token=False)
