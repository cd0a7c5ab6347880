"""`async def handler(request)` with Starlette's request, as functions_framework.aio calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.responses import Response as StarletteResponse

from lambda_runtime.invocation import is_asynchronous

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_runtime.responses import Application, Receive, Scope, Send


def starlette_application(handler: Callable[[Request], Any]) -> Application:
    """An application of one function for every path and method."""
    asynchronous = is_asynchronous(handler)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            if asynchronous:
                result = await handler(request)
            else:
                result = await run_in_threadpool(handler, request)
            response = _response_of(result)
        except HTTPException as error:
            response = PlainTextResponse(error.detail, error.status_code, error.headers)
        await response(scope, receive, send)

    return application


def _response_of(result: Any) -> StarletteResponse:
    status = 200
    if isinstance(result, tuple) and len(result) == 2:  # noqa: PLR2004 - content and status
        result, status = result
    if isinstance(result, StarletteResponse):
        return result
    if isinstance(result, str | bytes):
        return StarletteResponse(result, status)
    if isinstance(result, dict | list):
        return JSONResponse(result, status)
    message = (
        f"the function returned {type(result).__name__}; return a response, text, dict or list"
    )
    raise TypeError(message)
