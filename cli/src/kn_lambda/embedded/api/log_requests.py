"""`GET .../pods/<pod>/log`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from kn_lambda.embedded.api.errors import bad_request
from kn_lambda.embedded.api.lists import number
from kn_lambda.embedded.api.pod_logs import LogFollower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.embedded.api.pod_logs import PodLogs
    from kn_lambda.embedded.api.resources import Resources
    from kn_lambda.embedded.api.target import Target
    from kn_lambda.embedded.objects import KubernetesObject

_NOT_SERVED = ("sinceSeconds", "sinceTime")
_POLL_SECONDS = 0.2
_ENDED = frozenset({"Succeeded", "Failed"})


async def serve_log(
    request: web.Request, resources: Resources, logs: PodLogs, target: Target
) -> web.StreamResponse:
    """Answer with a container's log as plain text; with `follow`, until the pod has ended."""
    pod, query = resources.get(target), request.query
    container = _container(pod, query.get("container", ""))
    for name in _NOT_SERVED:
        if name in query:
            raise bad_request(f"{name}: the embedded platform keeps no time for lines of a log")
    place = (target.namespace, target.name, container)
    follow = _flag(query, "follow")
    if _flag(query, "previous"):
        raise bad_request(
            f'previous terminated container "{container}" in pod "{target.name}" not found'
        )
    if not follow and not logs.exists(*place) and _phase(pod) == "Pending":
        raise bad_request(
            f'container "{container}" in pod "{target.name}" is waiting to start: ContainerCreating'
        )
    follower = LogFollower(logs.path(*place)) if follow else None
    lines = number(query, "tailLines") if "tailLines" in query else None
    text = logs.tail(*place, lines=lines)
    limit = number(query, "limitBytes")
    text = text[:limit] if limit else text
    if follower is None:
        return web.Response(body=text, content_type="text/plain")
    try:
        return await _follow(request, resources, target, text, follower)
    finally:
        follower.close()


async def _follow(
    request: web.Request,
    resources: Resources,
    target: Target,
    text: bytes,
    follower: LogFollower,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    try:
        while request.transport is not None and not request.transport.is_closing():
            ended = _has_ended(resources, target)
            text += follower.read()
            if text:
                await response.write(text)
            if ended and not text:
                break
            text = b""
            await asyncio.sleep(_POLL_SECONDS)
    except ConnectionError:
        pass  # The client went away in the middle of a line.
    return response


def _has_ended(resources: Resources, target: Target) -> bool:
    pod = resources.find(target)
    return pod is None or _phase(pod) in _ENDED


def _phase(pod: KubernetesObject) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"true", "1"}


def _names(containers: object) -> list[str]:
    found = containers if isinstance(containers, list) else []
    return [str(one["name"]) for one in found if isinstance(one, dict) and "name" in one]


def _container(pod: KubernetesObject, asked: str) -> str:
    """Return the container asked for; only one that the pod has, since it becomes a path."""
    spec = pod.get("spec") or {}
    names = _names(spec.get("containers"))
    every = [*_names(spec.get("initContainers")), *names]
    pod_name = pod["metadata"]["name"]
    if not asked and len(names) == 1:
        asked = names[0]
    if not asked:
        raise bad_request(
            f"a container name must be specified for pod {pod_name}, choose one of: {every}"
        )
    if asked not in every or "/" in asked or asked in {".", ".."}:
        raise bad_request(f"container {asked[:100]} is not valid for pod {pod_name}")
    return asked
