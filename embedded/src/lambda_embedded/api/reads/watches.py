"""Watches: the changes of a selection as a stream of JSON lines."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lambda_embedded.api.errors import ApiError, bad_request
from lambda_embedded.api.reads.lists import number, select
from lambda_embedded.store.objects import ExpiredError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.api.reads.lists import Selection
    from lambda_embedded.api.reads.tables.forms import Form
    from lambda_embedded.store.objects import Change, Objects

_DEFAULT_TIMEOUT_SECONDS = 1800
_LOOK_FOR_DISCONNECTION_SECONDS = 5
_MAX_WAITING = 5000

WatchEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Changes:
    queue: asyncio.Queue[Change]
    chosen: Selection
    form: Form


async def serve_watch(
    request: web.Request, objects: Objects, chosen: Selection, form: Form
) -> web.StreamResponse:
    """Send changes until the time is over or the client is gone.

    As in kube-apiserver, a version that is too old gets one ERROR event with a 410 Status, so that
    the client lists again.
    """
    version = _version(request.query)
    timeout = number(request.query, "timeoutSeconds") or _DEFAULT_TIMEOUT_SECONDS
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        queue = objects.watch(since=version)
    except ExpiredError as error:
        await response.prepare(request)
        await _send(response, {"type": "ERROR", "object": _expired(error)})
        return response
    try:
        await response.prepare(request)
        if version is None:
            async for item in select(objects, chosen):
                await _send(response, {"type": "ADDED", "object": form.whole(item)})
        changes = _Changes(queue, chosen, form)
        await _forward(request, response, changes, timeout)
    except ConnectionError:
        pass  # The client went away in the middle of an event.
    finally:
        objects.unwatch(queue)
    return response


async def _forward(
    request: web.Request,
    response: web.StreamResponse,
    changes: _Changes,
    timeout_seconds: float,
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds
    while (left := deadline - loop.time()) > 0:
        if request.transport is None or request.transport.is_closing():
            return
        if changes.queue.qsize() > _MAX_WAITING:
            return  # A client this slow must list again, before its changes fill the memory.
        try:
            # Not wait_for: before Python 3.12 it may lose a cancellation.
            async with asyncio.timeout(min(left, _LOOK_FOR_DISCONNECTION_SECONDS)):
                change = await changes.queue.get()
        except TimeoutError:
            continue
        event = watch_event(change, changes.chosen)
        if event is not None:
            await _send(response, {**event, "object": changes.form.whole(event["object"])})


def watch_event(change: Change, chosen: Selection) -> WatchEvent | None:
    """Return the event of a change to a selection; modified objects may enter or leave it."""
    if change.kind != chosen.kind.kind:
        return None
    before = change.previous is not None and chosen.includes(change.previous)
    if change.type == "DELETED":
        return {"type": "DELETED", "object": change.object} if before else None
    after = chosen.includes(change.object)
    if after:
        return {"type": "MODIFIED" if before else "ADDED", "object": change.object}
    return {"type": "DELETED", "object": change.object} if before else None


def _version(query: Mapping[str, str]) -> str | None:
    if "sendInitialEvents" in query:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "sendInitialEvents is not supported here: list, then watch from the list's version",
        )
    version = query.get("resourceVersion", "")
    if version in {"", "0"}:
        return None
    if not version.isascii() or not version.isdigit() or len(version) > len("9" * 18):
        raise bad_request(f"resourceVersion: {version[:100]!r} is not a version of this API")
    return version


def _expired(error: ExpiredError) -> WatchEvent:
    return ApiError(HTTPStatus.GONE, str(error)).status


async def _send(response: web.StreamResponse, event: WatchEvent) -> None:
    await response.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")
