"""Forwards one request to a process, and its response back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from lambda_embedded.access.patience import SlowBodyError
from lambda_embedded.serving.gateway.responses import error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_embedded.serving.gateway.request_body import RequestBody

_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Responses up to this size are sent in one piece, longer ones as they arrive.
_WHOLE_RESPONSE_BYTES: Final = 64 * 1024
# Where a request keeps the response whose status has been sent.
BEGUN: Final = web.RequestKey("begun", web.StreamResponse)
_CRASH_NOTICE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """The parts of a request that differ from what the caller sent."""

    target: str
    """Path and query as the lambda receives them."""
    prefix: str
    """What came before that path."""
    body: RequestBody
    is_awaited: Callable[[], bool]
    """Whether other requests wait for the process."""
    has_token: bool
    """Whether the caller sent the platform's token, and the process may not see it."""


class Upstream(Protocol):
    """The process that a request goes to."""

    @property
    def origin(self) -> str:
        """Its URL without a path."""
        ...

    @property
    def request_headers(self) -> Mapping[str, str]:
        """Headers that are added to every request."""
        ...

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, stopped or by itself."""
        ...

    async def wait(self) -> object:
        """Return once the process is gone."""
        ...


class NothingSentError(Exception):
    """The process could not be reached, so the request may go to another one."""


async def forward(
    request: web.Request,
    process: Upstream,
    session: aiohttp.ClientSession,
    message: Message,
) -> web.StreamResponse:
    """Return the lambda's response; `NothingSentError` if the process has received no byte."""
    try:
        async with session.request(
            request.method,
            URL(process.origin + message.target, encoded=True),
            headers=_request_headers(request, message, process),
            data=message.body.send(
                has_response=lambda: BEGUN in request, is_awaited=message.is_awaited
            ),
            allow_redirects=False,
        ) as upstream:
            return await _pass_back(request, upstream)
    except aiohttp.ClientConnectorError as error:
        raise NothingSentError from error
    except (aiohttp.ClientError, OSError) as error:
        begun = request.get(BEGUN)
        if begun is not None:
            return abort(request, begun)
        if message.body.is_too_slow:
            raise SlowBodyError from error
        return await _broken(process, error)


def abort(request: web.Request, begun: web.StreamResponse) -> web.StreamResponse:
    """Break the connection: after the status, nothing else shows that the rest is missing."""
    if request.transport is not None:
        request.transport.abort()
    return begun


async def _pass_back(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = _end_to_end(upstream.headers)
    length = upstream.content_length
    if length is not None and length <= _WHOLE_RESPONSE_BYTES and request.method != hdrs.METH_HEAD:
        body = await upstream.read()
        return web.Response(
            status=upstream.status, reason=upstream.reason, headers=headers, body=body
        )
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
    request[BEGUN] = response
    await response.prepare(request)
    async for chunk in upstream.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


async def _broken(process: Upstream, error: Exception) -> web.Response:
    """Tell a crash from a server that hangs up; a process's end is noticed a moment later."""
    waiting = asyncio.ensure_future(process.wait())
    await asyncio.wait({waiting}, timeout=_CRASH_NOTICE_SECONDS)
    waiting.cancel()
    if process.has_ended:
        # What it wrote may be about another caller's request: only its log may show it.
        message = "the function's process ended before it responded; its log may say why"
        return error_response(HTTPStatus.BAD_GATEWAY, "FunctionCrashed", message)
    message = f"the function closed the connection without a response ({type(error).__name__})"
    return error_response(HTTPStatus.BAD_GATEWAY, "FunctionHungUp", message)


def _request_headers(request: web.Request, message: Message, process: Upstream) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    if message.has_token:
        headers.popall(hdrs.AUTHORIZATION, None)
    # aiohttp's server has responded to it by now.
    headers.popall(hdrs.EXPECT, None)
    before = headers.get(hdrs.X_FORWARDED_FOR)
    remote = request.remote or "unknown"
    headers[hdrs.X_FORWARDED_FOR] = f"{before}, {remote}" if before else remote
    headers.setdefault(hdrs.X_FORWARDED_HOST, request.headers.get(hdrs.HOST, ""))
    headers.setdefault(hdrs.X_FORWARDED_PROTO, "http")
    if message.prefix:
        headers["X-Forwarded-Prefix"] = message.prefix
    headers.update(process.request_headers)
    return headers


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    named = {
        token.strip().lower() for token in headers.get(hdrs.CONNECTION, "").split(",") if token
    }
    dropped = _HOP_BY_HOP | named if named else _HOP_BY_HOP
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in dropped
    )
