"""Functions that take plain HTTP requests: ASGI, WSGI, Flask's and Starlette's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_runtime.application import health_response, is_health_check
from lambda_runtime.body import LimitedBody, reject_declared_length
from lambda_runtime.content_encoding import read_as_it_came, read_unpacked
from lambda_runtime.errors import RejectedRequestError, ResponseClosedError
from lambda_runtime.heads import check_head
from lambda_runtime.invocation import AsyncInvoker
from lambda_runtime.responses import failure_response, log_failure, rejection_response
from lambda_runtime.shapes import ASGI, FLASK, STARLETTE, http_shape

if TYPE_CHECKING:
    from lambda_runtime.invocation import Invoker
    from lambda_runtime.responses import Application, Message, Receive, Response, Scope, Send
    from lambda_runtime.settings import Settings
    from lambda_runtime.source import Function


def http_application(function: Function, settings: Settings) -> Application:
    """Whatever shape the handler has, as one application with limits and health."""
    handler = function.handler
    shape = http_shape(function)
    if shape == STARLETTE:
        from lambda_runtime.starlette_function import starlette_application  # noqa: PLC0415

        handler = starlette_application(handler)
        invoker = _WholeBodyInvoker(handler, settings)
        return _limited_application(invoker, settings, lifespan=handler)
    if shape == ASGI:
        return _limited_application(AsyncInvoker(handler, settings), settings, lifespan=handler)
    from lambda_runtime.wsgi import WsgiInvoker, flask_view, make_flask  # noqa: PLC0415 - Flask

    if shape == FLASK:
        handler = flask_view(handler, function.flask or make_flask(function.folder))
    reader = read_unpacked if shape == FLASK else read_as_it_came
    return _limited_application(WsgiInvoker(handler, settings, reader), settings, lifespan=None)


class _WholeBodyInvoker(AsyncInvoker):
    """Has a function wait for its turn only once its body is there."""

    def __init__(self, application: Application, settings: Settings) -> None:
        super().__init__(application, settings)
        self._max_body_bytes = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Invoker."""
        scope, body = await read_unpacked(scope, receive, self._max_body_bytes)
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        await super().__call__(scope, receive_again, send)


def _limited_application(
    invoke: Invoker, settings: Settings, *, lifespan: Application | None
) -> Application:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if lifespan is None:
                raise NotImplementedError(scope["type"])
            await lifespan(scope, receive, send)
            return
        if is_health_check(scope):
            await health_response(invoke).send(send)
            return
        body = LimitedBody(receive, settings.max_body_bytes)
        sent = _SentResponse(send, body)
        try:
            reject_declared_length(scope, settings.max_body_bytes)
            await invoke(scope, body.receive, sent.send)
        except ResponseClosedError:
            # The caller has left, so nobody waits for a response.
            return
        except Exception as error:  # noqa: BLE001 - the handler's, and it is logged
            if sent.started:
                # The head is out: uvicorn breaks off a response that has no end.
                log_failure(_subject(scope), body.rejection or error)
            else:
                await _response_to(body.rejection or error, scope).send(send)
        else:
            if body.rejection is not None and not sent.started:
                await _response_to(body.rejection, scope).send(send)

    return guarded


class _SentResponse:
    """Passes on the application's response, unless its body was rejected."""

    def __init__(self, send: Send, body: LimitedBody) -> None:
        self._send = send
        self._body = body
        self.started = False

    async def send(self, message: Message) -> None:
        if self._body.rejection is not None and not self.started:
            return
        if message["type"] == "http.response.start":
            check_head(message)
            self.started = True
        await self._send(message)


def _response_to(error: Exception, scope: Scope) -> Response:
    if isinstance(error, RejectedRequestError):
        return rejection_response(error)
    return failure_response(_subject(scope), error)


def _subject(scope: Scope) -> str:
    return f"{scope['method']} {scope['path']!r}"
