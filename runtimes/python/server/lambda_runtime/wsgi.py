"""WSGI applications, and `handler(request)` with Flask's request, under ASGI."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.routing import Rule

from lambda_runtime.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambda_runtime.responses import Headers, Scope

    Environ = dict[str, Any]
    WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_PLAIN_VARIABLES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def flask_application(handler: Callable[[flask.Request], Any]) -> WsgiApplication:
    """A Flask application of one function for every path and method."""
    application = flask.Flask("function", static_folder=None)
    # Errors leave the application, so that they are answered and logged in one place.
    application.config["PROPAGATE_EXCEPTIONS"] = True
    for path in ("/", "/<path:path>"):
        application.url_map.add(Rule(path, endpoint="function"))

    def view(**_path: str) -> Any:
        return handler(flask.request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug's documented way to the object behind the proxy

    application.view_functions["function"] = view
    return application


def wsgi_caller(application: WsgiApplication) -> Callable[[tuple[Scope, bytes]], Response]:
    """Calls the application for one request and collects all of its answer."""

    def call(request: tuple[Scope, bytes]) -> Response:
        status = 500
        headers: Headers = []

        def start_response(line: str, fields: list[tuple[str, str]], *_error: object) -> None:
            nonlocal status, headers
            status = int(line.split(" ", 1)[0])
            headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in fields]

        chunks = application(_environ(*request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return Response(status, headers, body)

    return call


def _environ(scope: Scope, body: bytes) -> Environ:
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
