"""The ASGI application around every function: health, then the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_runtime.errors import RejectedRequestError
from lambda_runtime.responses import (
    Response,
    error_response,
    failure_response,
    rejection_response,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambda_runtime.invocation import Invoker
    from lambda_runtime.responses import Application, Receive, Scope, Send

    Responder = Callable[[Scope, Receive], Awaitable[Response]]

_HEALTH = ("/health/liveness", "/health/readiness")
_HEALTHY = Response(200, [(b"content-type", b"text/plain"), (b"content-length", b"2")], b"OK")


def responding(respond: Responder, invoker: Invoker) -> Application:
    """An application that sends one whole response to each request, whatever happens."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _HEALTH:
            await health_response(invoker).send(send)
            return
        try:
            response = await respond(scope, receive)
        except RejectedRequestError as rejection:
            response = rejection_response(rejection)
        except Exception as error:  # noqa: BLE001 - the handler's, and it is logged
            response = failure_response(f"{scope['method']} {scope['path']!r}", error)
        await response.send(send)

    return application


def is_health_check(scope: Scope) -> bool:
    """Whether the platform asks, not a caller of the function."""
    return scope["path"] in _HEALTH


def health_response(invoker: Invoker) -> Response:
    """200, or 503 when only a restart can help."""
    if invoker.healthy:
        return _HEALTHY
    return error_response(503, "FunctionStuck", "too many calls hang past their time limit")
