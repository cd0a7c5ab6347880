"""Functions that take plain HTTP requests: ASGI, WSGI, Flask's and Starlette's shapes."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from lambda_runtime.application import answering, health_response, is_health_check
from lambda_runtime.body import LimitedBody, read_body, refuse_declared_length
from lambda_runtime.errors import RefusedRequestError
from lambda_runtime.invocation import AsyncInvoker, ThreadInvoker, is_asynchronous
from lambda_runtime.responses import failure_response, refusal_response

if TYPE_CHECKING:
    from lambda_runtime.responses import Application, Message, Receive, Response, Scope, Send
    from lambda_runtime.settings import Settings
    from lambda_runtime.source import Function


def http_application(function: Function, settings: Settings) -> Application:
    """Whatever shape the handler has, as one application with limits and health."""
    handler = function.handler
    parameters = _required_parameters(handler)
    if parameters == 3:  # noqa: PLR2004 - scope, receive, send
        return _limited_application(handler, settings)
    if is_asynchronous(handler) or _wants_starlette(handler):
        from lambda_runtime.starlette_function import starlette_application  # noqa: PLC0415

        return _limited_application(starlette_application(handler), settings)
    from lambda_runtime.wsgi import flask_application, wsgi_caller  # noqa: PLC0415 - needs Flask

    wsgi = handler if parameters == 2 else flask_application(handler)  # noqa: PLR2004 - environ, start
    invoke = ThreadInvoker(wsgi_caller(wsgi), settings)

    async def respond(scope: Scope, receive: Receive) -> Response:
        body = await read_body(scope, receive, settings.max_body_bytes)
        response: Response = await invoke((scope, body))
        return response

    return answering(respond, invoke)


def _required_parameters(handler: Any) -> int:
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(
        parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )


def _wants_starlette(handler: Any) -> bool:
    registry = sys.modules.get("functions_framework._function_registry")
    return registry is not None and handler.__name__ in registry.ASGI_FUNCTIONS


def _limited_application(application: Application, settings: Settings) -> Application:
    invoke = AsyncInvoker(application, settings)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        if is_health_check(scope):
            await health_response(invoke).send(send)
            return
        body = LimitedBody(receive, settings.max_body_bytes)
        answer = _Answer(send, body)
        try:
            refuse_declared_length(scope, settings.max_body_bytes)
            await invoke(scope, body.receive, answer.send)
        except Exception as error:
            if answer.started:
                # The head of the answer is out: breaking off is all that is left.
                raise
            await _response_to(body.refusal or error, scope).send(send)
        else:
            if body.refusal is not None and not answer.started:
                await _response_to(body.refusal, scope).send(send)

    return guarded


class _Answer:
    """Passes the application's answer on, unless it is about a body that was refused."""

    def __init__(self, send: Send, body: LimitedBody) -> None:
        self._send = send
        self._body = body
        self.started = False

    async def send(self, message: Message) -> None:
        if self._body.refusal is not None and not self.started:
            return
        self.started = True
        await self._send(message)


def _response_to(error: Exception, scope: Scope) -> Response:
    if isinstance(error, RefusedRequestError):
        return refusal_response(error)
    return failure_response(f"{scope['method']} {scope['path']!r}", error)
