"""The gateway of all lambdas: finds the Service of a request, and a process for it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import hdrs, web

from lambda_embedded.access.cors import add_cors, preflight
from lambda_embedded.access.patience import HEAD_SECONDS, SlowBodyError
from lambda_embedded.serving.gateway.forwarding import (
    BEGUN,
    Message,
    NothingSentError,
    abort,
    forward,
)
from lambda_embedded.serving.gateway.request_body import RequestBody
from lambda_embedded.serving.gateway.responses import error_response
from lambda_embedded.serving.pool.slots import (
    CrashLoopError,
    RevisionRetiredError,
    TooManyRequestsError,
)

if TYPE_CHECKING:
    from lambda_embedded.access.access import Access
    from lambda_embedded.serving.composition import Serving
    from lambda_embedded.serving.pool.revision_pool import RevisionPool
    from lambda_embedded.serving.services.route import Route

_UNREACHABLE_TRIES = 20
_UNREACHABLE_PAUSE_SECONDS = 0.05
_HOST_PARTS = 3


class _Target(NamedTuple):
    """The Service of a request, and the rest of its path."""

    route: Route
    path: str
    prefix: str
    has_token: bool


def create_gateway(serving: Serving, access: Access) -> web.Application:
    """Return the gateway; run it with `gateway_runner`, which sets what a proxy needs.

    Calling a lambda needs no token; cluster-local Services exist only for those who send it.
    """
    app = web.Application()
    gateway = _Gateway(serving, access)
    app.router.add_route("*", "/{path:.*}", gateway.handle)
    add_cors(app, access)
    return app


def gateway_runner(
    serving: Serving, access: Access, *, head_seconds: float = HEAD_SECONDS
) -> web.AppRunner:
    """Return a gateway's runner."""
    return proxy_runner(create_gateway(serving, access), head_seconds=head_seconds)


def proxy_runner(
    application: web.Application, *, head_seconds: float = HEAD_SECONDS
) -> web.AppRunner:
    """Return the runner of a proxy: bodies stay as sent, and a client that hangs up is noticed."""
    return web.AppRunner(
        application,
        keepalive_timeout=head_seconds,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,
        max_line_size=16 * 1024,
        max_field_size=16 * 1024,
        # An event may have 256 attributes; browsers and proxies add theirs.
        max_headers=384,
    )


class _Gateway:
    def __init__(self, serving: Serving, access: Access) -> None:
        self._serving = serving
        self._access = access

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Return the response of the lambda that the request is for, or an error."""
        if denial := self._access.denial(request):
            return error_response(denial.status, denial.reason, denial.message)
        if response := preflight(request, self._access):
            return response
        target = self._find(request)
        if target is None:
            return error_response(
                HTTPStatus.NOT_FOUND, "NotFound", f"no Service at {request.rel_url.raw_path}"
            )
        return await self._respond(request, target)

    async def _respond(self, request: web.Request, target: _Target) -> web.StreamResponse:
        try:
            return await self._serve_in_time(request, target)
        except SlowBodyError:
            return _too_slow()
        except TooManyRequestsError:
            message = "too many requests wait for this function already"
            return error_response(
                HTTPStatus.SERVICE_UNAVAILABLE, "TooManyRequests", message, retry_after_seconds=1
            )
        except CrashLoopError as error:
            return error_response(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "CrashLoopBackOff",
                "the function's process keeps crashing; its log may say why",
                retry_after_seconds=error.retry_after_seconds,
            )

    async def _serve_in_time(self, request: web.Request, target: _Target) -> web.StreamResponse:
        pool = await _first_pool(target.route)
        seconds = pool.rules.timeout_seconds if pool else None
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await self._serve(request, target)
        except TimeoutError:
            if not deadline.expired():
                raise
            begun = request.get(BEGUN)
            if begun is not None:
                return abort(request, begun)
            message = f"no complete response after {seconds:g} s (timeoutSeconds)"
            return error_response(HTTPStatus.GATEWAY_TIMEOUT, "Timeout", message)

    async def _serve(self, request: web.Request, target: _Target) -> web.StreamResponse:
        body = RequestBody(request, self._serving.settings, self._serving.held_bytes)
        try:
            await body.begin()
            return await self._send(request, target, body)
        finally:
            body.close()

    async def _send(
        self, request: web.Request, target: _Target, body: RequestBody
    ) -> web.StreamResponse:
        for _ in range(_UNREACHABLE_TRIES):
            pool = target.route.pool
            if pool is None:
                return _without_revision(target.route)
            try:
                return await self._forward(request, target, pool, body)
            except RevisionRetiredError:
                continue
            except NothingSentError:
                # Its end is noticed soon; then another process serves, or a new one starts.
                await asyncio.sleep(_UNREACHABLE_PAUSE_SECONDS)
        message = "the function's process accepts no connections"
        return error_response(HTTPStatus.BAD_GATEWAY, "FunctionUnreachable", message)

    async def _forward(
        self, request: web.Request, target: _Target, pool: RevisionPool, body: RequestBody
    ) -> web.StreamResponse:
        process = pool.take() or await pool.hold()
        message = Message(
            target=target.path,
            prefix=target.prefix,
            body=body,
            is_awaited=lambda: pool.has_held,
            has_token=target.has_token and not process.takes_token,
        )
        try:
            return await forward(request, process, self._serving.session, message)
        finally:
            pool.release(process)

    def _find(self, request: web.Request) -> _Target | None:
        """Return the Service of a request, by its host name or by the first two parts of its path.

        The path is used as it was sent, so that no `..` in it leads to another Service.
        """
        found = self._route(request)
        if found is None or (found.route.is_cluster_local and not found.has_token):
            return None
        return found

    def _route(self, request: web.Request) -> _Target | None:
        has_token = self._access.holds_token(request)
        raw = request.raw_path
        if not raw.startswith("/"):
            raw = request.rel_url.raw_path_qs
        routes = self._serving.routes
        key = _by_host(request.headers.get(hdrs.HOST, ""))
        if key is not None and key in routes:
            return _Target(routes[key], raw, "", has_token)
        path, mark, query = raw.partition("?")
        parts = path.split("/", 3)
        if len(parts) < _HOST_PARTS:
            return None
        route = routes.get((parts[1], parts[2]))
        if route is None:
            return None
        rest = f"/{parts[3]}" if len(parts) > _HOST_PARTS else "/"
        prefix = f"/{parts[1]}/{parts[2]}"
        return _Target(route, f"{rest}{mark}{query}", prefix, has_token)


async def _first_pool(route: Route) -> RevisionPool | None:
    """Return the pool; while the first revision starts, wait until it is ready or has failed."""
    while route.pool is None and route.roll_out is not None and not route.roll_out.done():
        await asyncio.wait({route.roll_out})
    return route.pool


def _too_slow() -> web.Response:
    message = "the body of the request did not arrive in time"
    response = error_response(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", message)
    # What arrives of it later is not a request.
    response.force_close()
    return response


def _without_revision(route: Route) -> web.Response:
    if route.is_deleted:
        return error_response(HTTPStatus.NOT_FOUND, "NotFound", "the Service was deleted")
    return error_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "NotReady",
        route.not_ready_message,
        retry_after_seconds=1,
    )


def _by_host(host: str) -> tuple[str, str] | None:
    """Parse `<name>.<namespace>.<anything>`, which is never an IP address."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    parts = name.lower().split(".")
    if len(parts) < _HOST_PARTS or parts[-1].isdecimal():
        return None
    return parts[1], parts[0]
