"""The API as an ASGI application; never raises, and never logs what a caller sent."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import tempfile
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from knative_lambda.domain.names import FunctionId
from knative_lambda.inbound.api.bearer import token_of
from knative_lambda.inbound.api.bodies import chunks, read_body
from knative_lambda.inbound.api.etags import etag, is_known
from knative_lambda.inbound.api.openapi import openapi
from knative_lambda.inbound.api.operations import OPERATIONS, Call
from knative_lambda.inbound.api.problems import RequestError, problem, status_of
from knative_lambda.inbound.api.room import Room
from knative_lambda.inbound.api.validation import read_json, read_path, read_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from starlette.types import Receive, Scope, Send

    from knative_lambda.domain.lambda_views import UploadPath
    from knative_lambda.inbound.api.operations import Operation, Services

_WORKING, _WAITING = 8, 32
_CONTENT_SECONDS = 100.0
_CONTENT_IN_MEMORY = 1024 * 1024
_PLAIN = "text/plain; charset=utf-8"
_NOT_KEPT = {"Cache-Control": "no-store"}
# A caller may keep it, and has to ask each time whether it is still the newest.
_ASKED_FOR_AGAIN = {"Cache-Control": "private, no-cache"}

_log = logging.getLogger(__name__)


class Application:
    """All operations, and the document that describes them; `services` are made when needed."""

    def __init__(
        self, services: Callable[[], Services], *, working: int = _WORKING, waiting: int = _WAITING
    ) -> None:
        self._services = services
        self._room = Room(working=working, waiting=waiting)
        paths: dict[str, dict[str, Operation]] = {}
        for operation in OPERATIONS:
            paths.setdefault(operation.path, {})[operation.method] = operation
        routes = [
            Route(path, _Resource(self._room, services, methods)) for path, methods in paths.items()
        ]
        routes.append(Route("/openapi.json", _Description()))
        self._router = Router(routes, redirect_slashes=False, default=_Nothing())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        await self._router(scope, receive, send)


class _Endpoint:
    """Responds to the methods that it has, to HEAD as to GET, and to OPTIONS with their names."""

    methods: frozenset[str] = frozenset({"GET"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, begun = Request(scope, receive), time.monotonic()
        try:
            response = await self._respond(request)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller needs a status
            response = problem(error)
            if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.error("a bug", exc_info=error)
        await response(scope, receive, send)
        fields = {"method": request.method, "status": response.status_code, "route": self._route()}
        _log.info("done", extra=fields | {"seconds": round(time.monotonic() - begun, 3)})

    async def _respond(self, request: Request) -> Response:
        allowed = {"Allow": ", ".join(sorted(self._allowed()))}
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=allowed)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self.methods:
            detail = f"this is for {allowed['Allow']} only"
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers=allowed)
        return await self.respond(method, request)

    def _allowed(self) -> set[str]:
        return {*self.methods, "OPTIONS", *(("HEAD",) if "GET" in self.methods else ())}

    def _route(self) -> str:
        return ""

    async def respond(self, method: str, request: Request) -> Response:
        """Respond to one of the methods."""
        raise NotImplementedError


class _Nothing(_Endpoint):
    """Any other path."""

    async def _respond(self, request: Request) -> Response:
        del request
        raise RequestError(HTTPStatus.NOT_FOUND, "GET /openapi.json lists what there is")


class _Description(_Endpoint):
    """The document in OpenAPI, for everybody: it is the same in every installation."""

    async def respond(self, method: str, request: Request) -> Response:
        del method, request
        return Response(openapi(), media_type="application/json")

    def _route(self) -> str:
        return "/openapi.json"


class _Resource(_Endpoint):
    """The operations of one path."""

    def __init__(
        self, room: Room, services: Callable[[], Services], operations: dict[str, Operation]
    ) -> None:
        self._room = room
        self._services = services
        self._operations = operations
        self.methods = frozenset(operations)

    async def respond(self, method: str, request: Request) -> Response:
        operation, token = self._operations[method], token_of(request)
        names = operation.path_model.model_fields
        parts = {name: request.path_params[name] for name in names}
        path = read_path(operation.path_model, parts)
        query = (
            None
            if operation.query_model is None
            else read_query(operation.query_model, request.query_params)
        )
        # Before there is a place for it: a slow sender must not keep one.
        body = (
            None
            if operation.body_model is None
            else read_json(operation.body_model, await read_body(request))
        )
        async with self._room.entered():
            services = await asyncio.to_thread(self._services)
            cluster = await asyncio.to_thread(services.callers.with_token, token)
            call = Call(services=services, cluster=cluster, path=path, query=query, body=body)
            if operation.run is None:
                return await _stored(call, request)
            answer = await asyncio.to_thread(operation.run, call)
        return _answer(operation, answer, request)

    def _route(self) -> str:
        return next(iter(self._operations.values())).path


def _answer(operation: Operation, answer: Any, request: Request) -> Response:  # noqa: ANN401
    if isinstance(answer, str):
        headers = _NOT_KEPT | {"X-Content-Type-Options": "nosniff"}
        return Response(answer, operation.status, headers, _PLAIN)
    headers = _NOT_KEPT
    if operation.has_etag:
        tag = etag(answer.resource_version)
        headers = _ASKED_FOR_AGAIN | {"ETag": tag}
        if is_known(tag, request.headers.get("If-None-Match")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    content = json.dumps(answer.to_json())
    return Response(content, operation.status, headers, "application/json")


async def _stored(call: Call, request: Request) -> Response:
    """Take content: who may is asked before any of it is read, and what it is before it is kept."""
    path: UploadPath = call.path
    uploads, function = call.services.uploads, FunctionId(path.namespace, path.name)
    length = request.headers.get("Content-Length")
    if length is None:
        raise RequestError(HTTPStatus.LENGTH_REQUIRED, "send the content with its Content-Length")
    size = int(length)
    await asyncio.to_thread(uploads.check_content, call.cluster, function, path.sha256, size)
    with tempfile.SpooledTemporaryFile(_CONTENT_IN_MEMORY) as file:
        digest = hashlib.sha256()
        async for chunk in chunks(request, max_bytes=size, seconds=_CONTENT_SECONDS):
            digest.update(chunk)
            file.write(chunk)
        file.seek(0)
        content: BinaryIO = file  # type: ignore[assignment]  # it is one but for its type
        found = digest.hexdigest()
        stored = await asyncio.to_thread(uploads.store, function, path.sha256, found, content)
    return Response(json.dumps(stored.to_json()), HTTPStatus.CREATED, _NOT_KEPT, "application/json")
