"""WSGI applications, and `handler(request)` with Flask's request, under ASGI."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import InternalServerError
from werkzeug.routing import Rule

from lambda_runtime.invocation import ThreadInvoker
from lambda_runtime.outlet import Outlet
from lambda_runtime.responses import Response
from lambda_runtime.wsgi_response import WsgiResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from lambda_runtime.responses import Receive, Scope, Send
    from lambda_runtime.settings import Settings

    Environ = dict[str, Any]
    Reader = Callable[[Scope, Receive, int], Awaitable[tuple[Scope, bytes]]]
    WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# Error handlers of a function of events may ask for a request too.
_EVENT_SCOPE: Scope = {
    "method": "POST",
    "path": "/",
    "query_string": b"",
    "http_version": "1.1",
    "scheme": "http",
    "headers": [],
}
_PLAIN_VARIABLES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def make_flask(folder: str, *, static_folder: str | None = None) -> flask.Flask:
    """An application of nothing yet; its templates are in the folder's `templates`."""
    return flask.Flask("function", root_path=folder, static_folder=static_folder)


def flask_view(
    handler: Callable[[flask.Request], Any], application: flask.Flask
) -> WsgiApplication:
    """The application with one function for every path and method that is left."""
    _let_errors_out(application)
    for path in ("/", "/<path:path>"):
        application.url_map.add(Rule(path, endpoint="function"))

    def view(**_path: str) -> Any:
        return handler(flask.request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug's documented way to the object behind the proxy

    application.view_functions["function"] = view
    return application


def with_error_handlers(
    application: flask.Flask, handler: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """The handler of events, or of its errors by the application's error handlers."""
    _let_errors_out(application)

    def call(event: Any) -> Any:
        with application.request_context(environ_of(_EVENT_SCOPE, b"")):
            try:
                return handler(event)
            except Exception as error:  # noqa: BLE001 - raised again where nobody wants it
                frames = error.__traceback__
                response = _handled(application, error)
                if response is None:
                    raise error.with_traceback(frames) from None
                return response

    return call


def _handled(application: flask.Flask, error: Exception) -> Response | None:
    try:
        try:
            value = application.handle_user_exception(error)
        except Exception as unhandled:  # noqa: BLE001 - the next ones to ask are those of 500
            value = application.handle_exception(unhandled)
    except Exception as unhandled:
        if unhandled is error:
            return None
        raise
    response = application.make_response(value)
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    return Response(response.status_code, headers, response.get_data())


def _let_errors_out(application: flask.Flask) -> None:
    # So that they are handled and logged in one place, unless the function does that itself.
    wanted = InternalServerError.code in application.error_handler_spec.get(None, {})
    application.config["PROPAGATE_EXCEPTIONS"] = not wanted


class WsgiInvoker:
    """Calls a WSGI application in a thread; its response is sent while it is being made."""

    def __init__(self, application: WsgiApplication, settings: Settings, read: Reader) -> None:
        self._application = application
        self._read = read
        self._max_body_bytes = settings.max_body_bytes
        self._threads = ThreadInvoker(self._call, settings)

    @property
    def healthy(self) -> bool:
        """See Invoker."""
        return self._threads.healthy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Invoker; the time ends with the response, however much of it was sent."""
        scope, body = await self._read(scope, receive, self._max_body_bytes)
        outlet = Outlet(receive, send)
        async with outlet.opened():
            await self._threads((environ_of(scope, body), outlet))

    def _call(self, request: tuple[Environ, Outlet]) -> None:
        environ, outlet = request
        response = WsgiResponse(outlet)
        items = self._application(environ, response.start_response)
        try:
            response.send(items)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()


def environ_of(scope: Scope, body: bytes) -> Environ:
    """The request as PEP 3333 describes it."""
    host, port = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        variable = _PLAIN_VARIABLES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        separator = "; " if name == "cookie" else ","
        environ[variable] = (
            f"{environ[variable]}{separator}{value}" if variable in environ else value
        )
    # The body is whole, also where it came in chunks.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
