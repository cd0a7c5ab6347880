"""Requests on one object or one collection."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lambda_embedded.access.patience import SlowBodyError, read_body
from lambda_embedded.api.admission.field_validation import FieldValidation
from lambda_embedded.api.bodies.parsing import parse_body, parse_object, unsupported
from lambda_embedded.api.discovery.access_reviews import review
from lambda_embedded.api.errors import ApiError, bad_request, success
from lambda_embedded.api.kinds.built_in import definition_name
from lambda_embedded.api.kinds.served import kind_at
from lambda_embedded.api.logs.log_requests import serve_log
from lambda_embedded.api.patches.json_patches import json_patch, merge_patch
from lambda_embedded.api.patches.strategic_merge import strategic_merge
from lambda_embedded.api.paths import ALL_NAMESPACES, Target
from lambda_embedded.api.reads.lists import list_page, select, selection
from lambda_embedded.api.reads.tables.forms import form_of
from lambda_embedded.api.reads.watches import serve_watch
from lambda_embedded.api.resources import Resources
from lambda_embedded.api.responses import json_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lambda_embedded.api.admission.chain import Admission
    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.api.logs.pod_logs import PodLogs
    from lambda_embedded.api.reads.tables.forms import Form
    from lambda_embedded.store.objects import KubernetesObject, Objects

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_JSON = "application/json-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_MANAGER_MAX = 128
_NEVER_RUN = (
    "the embedded platform does not run Pods that clients create, so it stays Pending: create a Job"
)


class Requests:
    """Serves the object or collection that a path names, by verb."""

    def __init__(
        self, objects: Objects, logs: PodLogs, admission: Admission, definition: Path
    ) -> None:
        self._objects = objects
        self._definition = definition
        self._resources = Resources(objects, admission)
        self._logs = logs
        self._streams: set[asyncio.Task[Any]] = set()

    def create_namespaces(self, names: Iterable[str]) -> None:
        """Create the namespaces that are missing."""
        kind = kind_at("", "v1", "namespaces")
        if kind is None:
            raise AssertionError
        for name in names:
            if self._objects.find(kind.kind, "", name) is None:
                item: KubernetesObject = {"metadata": {"name": name}}
                self._resources.create(Target(kind, ""), item, "kn-lambda")

    async def serve(self, request: web.Request, target: Target) -> web.StreamResponse:
        """Handle one request."""
        if target.subresource == "log":
            if request.method != "GET":
                raise _not_allowed(request)
            return await self._stream(serve_log(request, self._resources, self._logs, target))
        on_item: dict[str, Callable[[web.Request, Target], Awaitable[web.StreamResponse]]] = {
            "GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete,
        }  # fmt: skip
        on_collection = {
            "GET": self._list, "POST": self._post, "DELETE": self._delete_collection,
        }  # fmt: skip
        verb = (on_item if target.name else on_collection).get(request.method)
        if verb is None or (target.subresource and request.method == "DELETE"):
            raise _not_allowed(request)
        if target.namespace == ALL_NAMESPACES and request.method != "GET":
            raise _not_allowed(request)
        return await verb(request, target)

    async def review(self, request: web.Request, kind: str) -> web.StreamResponse:
        """Respond to an access review: what the client may do, or who they are."""
        item = parse_object(await _read(request), _content_type(request))
        return json_response(review(kind, item), HTTPStatus.CREATED)

    async def end_streams(self, _app: web.Application) -> None:
        """End all watches and followed logs, so that the server can stop."""
        for task in self._streams:
            task.cancel()

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        form = self._form(request, target)
        return json_response(form.whole(self._resources.get(target)))

    async def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        namespace = None if target.namespace == ALL_NAMESPACES else target.namespace
        chosen = selection(target.kind, namespace, request.query)
        if request.query.get("watch", "").lower() in {"true", "1"}:
            form = self._form(request, target)
            return await self._stream(serve_watch(request, self._objects, chosen, form))
        body = await list_page(self._objects, chosen, request.query, self._form(request, target))
        return web.Response(body=body, content_type="application/json")

    async def _post(self, request: web.Request, target: Target) -> web.StreamResponse:
        item = parse_object(await _read(request), _content_type(request))
        manager, fields = _manager(request), FieldValidation.of(request.query)
        with self._rehearsal(request.query.get("dryRun")):
            stored = self._resources.create(target, item, manager, fields)
        response = _warning(json_response(stored, HTTPStatus.CREATED), fields)
        if target.kind.kind == "Pod":
            # kubectl shows it; only the platform's own controllers make Pods that run.
            response.headers.add("Warning", f'299 - "{_NEVER_RUN}"')
        return response

    async def _put(self, request: web.Request, target: Target) -> web.StreamResponse:
        item = parse_object(await _read(request), _content_type(request))
        manager, fields = _manager(request), FieldValidation.of(request.query)
        with self._rehearsal(request.query.get("dryRun")):
            stored = self._resources.replace(target, item, manager, fields)
        return _warning(json_response(stored), fields)

    async def _patch(self, request: web.Request, target: Target) -> web.StreamResponse:
        form = _patch_form(request.content_type, target)
        body = parse_body(await _read(request), request.content_type)
        manager, new = _manager(request, required=form == _APPLY), False
        fields = FieldValidation.of(request.query)
        with self._rehearsal(request.query.get("dryRun")):
            if form == _APPLY:
                if not isinstance(body, dict):
                    raise bad_request("the body must be an object")
                force = request.query.get("force", "").lower() in {"true", "1"}
                stored, new = self._resources.apply(target, body, manager, force=force)
            else:
                change = partial(_CHANGES[form], target.kind)
                stored = self._resources.patch(
                    target, lambda live: change(live, body), manager, fields
                )
        return _warning(json_response(stored, HTTPStatus.CREATED if new else HTTPStatus.OK), fields)

    async def _delete(self, request: web.Request, target: Target) -> web.StreamResponse:
        options = await _deletion_options(request)
        preconditions = options.get("preconditions") or {}
        if not isinstance(preconditions, dict):
            raise bad_request("preconditions: must be an object")
        with self._rehearsal(_dry_run(request, options)):
            last = self._resources.delete(target, preconditions)
        if target.kind.deletion_returns_object or "deletionTimestamp" in last["metadata"]:
            return json_response(last)
        return json_response(
            success(
                name=target.name,
                group=target.kind.group,
                kind=target.kind.plural,
                uid=last["metadata"]["uid"],
            )
        )

    async def _delete_collection(self, request: web.Request, target: Target) -> web.StreamResponse:
        chosen = selection(target.kind, target.namespace, request.query)
        options = await _deletion_options(request)
        found = [item async for item in select(self._objects, chosen)]
        with self._rehearsal(_dry_run(request, options)):
            for item in found:
                metadata = item["metadata"]
                one = Target(target.kind, metadata.get("namespace", ""), metadata["name"])
                if self._resources.find(one) is not None:
                    self._resources.delete(one, {})
        return json_response(success(group=target.kind.group, kind=target.kind.plural))

    def _form(self, request: web.Request, target: Target) -> Form:
        accept = request.headers.get("Accept", "")
        return form_of(target.kind, accept, request.query, self._definition)

    def _rehearsal(self, dry_run: str | None) -> AbstractContextManager[None]:
        if not dry_run:
            return nullcontext()
        if dry_run != "All":
            raise bad_request(f"dryRun: must be All, not {dry_run[:100]!r}")
        return self._objects.dry_run()

    async def _stream(self, response: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError
        self._streams.add(task)
        try:
            return await response
        finally:
            self._streams.discard(task)


def _strategic(kind: Kind, live: KubernetesObject, patch: object) -> object:
    name = definition_name(kind.api_version, kind.kind)
    if name is None:
        raise AssertionError
    return strategic_merge(live, patch, name)


_CHANGES: dict[str, Callable[[Kind, KubernetesObject, object], object]] = {
    _JSON: lambda _kind, live, patch: json_patch(live, patch),
    _MERGE: lambda _kind, live, patch: merge_patch(live, patch),
    _STRATEGIC: _strategic,
}


def _warning(response: web.Response, fields: FieldValidation) -> web.Response:
    for warning in fields.warnings:
        response.headers.add("Warning", warning)
    return response


def _not_allowed(request: web.Request) -> ApiError:
    return ApiError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"the server does not allow {request.method} on the requested resource",
    )


def _manager(request: web.Request, *, required: bool = False) -> str:
    manager = request.query.get("fieldManager", "")
    if required and not manager:
        raise bad_request("fieldManager: is required for apply patch")
    if len(manager) > _MANAGER_MAX or not manager.isprintable():
        raise bad_request(f"fieldManager: must be printable, at most {_MANAGER_MAX} characters")
    agent = request.headers.get("User-Agent", "").partition("/")[0]
    return manager or agent[:_MANAGER_MAX] or "unknown"


def _patch_form(content_type: str, target: Target) -> str:
    taken = [_APPLY, _MERGE, _JSON]
    if not target.kind.is_custom:
        taken.append(_STRATEGIC)
    if content_type not in taken:
        raise unsupported(content_type, tuple(taken))
    return content_type


def _content_type(request: web.Request) -> str:
    # Older kubectl sends none and means JSON.
    return request.content_type if "Content-Type" in request.headers else "application/json"


async def _read(request: web.Request) -> bytes:
    try:
        return await read_body(request)
    except SlowBodyError as error:
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, str(error)) from error


async def _deletion_options(request: web.Request) -> dict[str, Any]:
    body = await _read(request)
    options = parse_object(body, _content_type(request)) if body.strip() else {}
    policy = options.get("propagationPolicy") or request.query.get("propagationPolicy")
    if policy not in {None, "Background", "Foreground"}:
        raise bad_request(
            f"propagationPolicy: {str(policy)[:100]!r} is not supported here; "
            "supported: Background, Foreground"
        )
    return options


def _dry_run(request: web.Request, options: dict[str, Any]) -> str | None:
    values = options.get("dryRun")
    if isinstance(values, list) and values:
        return str(values[0])
    return request.query.get("dryRun")
