"""The HTTP server of the Kubernetes API."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from aiohttp import web

from lambda_embedded.access.guard import guard
from lambda_embedded.api.admission.chain import Admission
from lambda_embedded.api.bodies.parsing import MAX_BYTES
from lambda_embedded.api.discovery.access_reviews import reject_impersonation, review_kind
from lambda_embedded.api.discovery.responses import document_response
from lambda_embedded.api.discovery.unserved import unserved
from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.logs.pod_logs import PodLogs
from lambda_embedded.api.paths import parse_path
from lambda_embedded.api.requests import Requests
from lambda_embedded.api.responses import json_response
from lambda_embedded.schemas.known import DEFINITION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambda_embedded.access.access import Access, Denial
    from lambda_embedded.store.objects import Objects

_LOG = logging.getLogger(__name__)
_FIRST_NAMESPACES = ("default", "kube-system")
_HEALTH_PATHS = frozenset({"/healthz", "/livez", "/readyz"})


def create_api(
    objects: Objects,
    pod_logs: PodLogs | Path,
    *,
    access: Access,
    definition: Path = DEFINITION,
) -> web.Application:
    """Serve `objects` and the logs below a folder to holders of the token.

    `definition` is the file of LambdaFunction's CustomResourceDefinition.
    """
    logs = PodLogs(pod_logs) if isinstance(pod_logs, Path) else pod_logs
    requests = Requests(objects, logs, Admission(definition), definition)
    requests.create_namespaces(_FIRST_NAMESPACES)

    transports: WeakSet[asyncio.Transport] = WeakSet()

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            transports.add(request.transport)
        if request.path in _HEALTH_PATHS:
            return web.Response(text="ok")
        accept = request.headers.get("Accept", "")
        if request.method == "GET" and (
            document := document_response(request.path, accept, definition)
        ):
            return document
        reject_impersonation(request.headers)
        if (kind := review_kind(request.path)) and request.method == "POST":
            return await requests.review(request, kind)
        target = parse_path(request.path)
        if target is None:
            raise unserved(request.path)
        return await requests.serve(request, target)

    app = web.Application(client_max_size=MAX_BYTES, middlewares=[_errors_as_status])
    guard(app, access, open_paths=_HEALTH_PATHS, reject=_rejected)
    app.router.add_route("*", "/{path:.*}", handle)
    app.on_shutdown.append(requests.end_streams)

    async def abort_connections(_app: web.Application) -> None:
        # TLS waits for the peer's close_notify, which a client with open connections does not send.
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)

    app.on_cleanup.append(abort_connections)
    return app


@web.middleware
async def _errors_as_status(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return json_response(error.status, error.code)
    except web.HTTPException as error:
        return json_response(_translated(error).status, HTTPStatus(error.status))
    except Exception:  # noqa: BLE001  # a server responds, whatever happened
        # The client learns that the fault is ours; the details are for the log alone.
        _LOG.exception("%s %s failed", request.method, request.path)
        failure = ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "an error on the server")
        return json_response(failure.status, failure.code)


def _rejected(denial: Denial) -> web.Response:
    error = ApiError(denial.status, denial.message)
    return json_response(error.status, error.code)


def _translated(error: web.HTTPException) -> ApiError:
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        message = f"Request entity too large: limit is {MAX_BYTES} bytes"
    else:
        message = error.reason
    return ApiError(HTTPStatus(error.status), message)
