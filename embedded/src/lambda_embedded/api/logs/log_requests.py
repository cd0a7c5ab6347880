"""`GET .../pods/<pod>/log`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.api.errors import bad_request
from lambda_embedded.api.logs.pod_logs import LogChoice, LogFollower, stamp
from lambda_embedded.api.reads.lists import number
from lambda_embedded.api.reads.tables.durations import instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.api.logs.pod_logs import PodLogs
    from lambda_embedded.api.paths import Target
    from lambda_embedded.api.resources import Resources
    from lambda_embedded.store.objects import KubernetesObject

_NANOSECONDS = 1_000_000_000
_POLL_SECONDS = 0.2
_ENDED = frozenset({"Succeeded", "Failed"})


async def serve_log(
    request: web.Request, resources: Resources, logs: PodLogs, target: Target
) -> web.StreamResponse:
    """Send a container's log as plain text; with `follow`, until the pod has ended."""
    pod, query = resources.get(target), request.query
    container = _container(pod, query.get("container", ""))
    place = (target.namespace, target.name, container)
    choice, follow = _choice(query), _flag(query, "follow")
    if _flag(query, "previous"):
        choice, follow = replace(choice, process=_previous(pod, logs, place)), False
    if not follow and not logs.exists(*place) and _phase(pod) == "Pending":
        raise bad_request(
            f'container "{container}" in pod "{target.name}" is waiting to start: ContainerCreating'
        )
    follower = LogFollower(logs.path(*place)) if follow else None
    text = logs.tail(*place, choice)
    limit = number(query, "limitBytes")
    text = text[:limit] if limit else text
    if follower is None:
        return web.Response(body=text, content_type="text/plain")
    try:
        return await _follow(request, _Followed(resources, target, follower), text, choice)
    finally:
        follower.close()


async def _follow(
    request: web.Request, followed: _Followed, text: bytes, choice: LogChoice
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    stamps = _Stamps(text)
    try:
        while request.transport is not None and not request.transport.is_closing():
            ended = followed.has_ended()
            new = followed.follower.read()
            text += stamps.add_to(new) if choice.stamped else new
            if text:
                await response.write(text)
            if ended and not text:
                break
            text = b""
            await asyncio.sleep(_POLL_SECONDS)
    except ConnectionError:
        pass  # The client went away in the middle of a line.
    return response


@dataclass(frozen=True, slots=True)
class _Followed:
    resources: Resources
    target: Target
    follower: LogFollower

    def has_ended(self) -> bool:
        """Whether nothing more will be written."""
        pod = self.resources.find(self.target)
        return pod is None or _phase(pod) in _ENDED


class _Stamps:
    """Puts the time before each line; a line may arrive in pieces."""

    def __init__(self, text: bytes) -> None:
        self._is_at_start = not text or text.endswith(b"\n")

    def add_to(self, text: bytes) -> bytes:
        now, stamped = stamp(time.time_ns()), bytearray()
        for line in BytesIO(text):
            stamped += (now if self._is_at_start else b"") + line
            self._is_at_start = line.endswith(b"\n")
        return bytes(stamped)


def _choice(query: Mapping[str, str]) -> LogChoice:
    lines = number(query, "tailLines") if "tailLines" in query else None
    return LogChoice(lines=lines, since=_since(query), stamped=_flag(query, "timestamps"))


def _since(query: Mapping[str, str]) -> int:
    if "sinceSeconds" in query and "sinceTime" in query:
        raise bad_request("at most one of sinceTime or sinceSeconds may be specified")
    if "sinceSeconds" in query:
        seconds = number(query, "sinceSeconds")
        if seconds < 1:
            raise bad_request("sinceSeconds: must be greater than 0")
        return max(0, time.time_ns() - seconds * _NANOSECONDS)
    if "sinceTime" not in query:
        return 0
    found = instant(query["sinceTime"])
    if found is None:
        raise bad_request(f"sinceTime: {query['sinceTime'][:100]!r} is not a time as in RFC 3339")
    return max(0, int(found.timestamp()) * _NANOSECONDS)


def _previous(pod: KubernetesObject, logs: PodLogs, place: tuple[str, str, str]) -> int:
    """Return the index of the process before the newest; `ApiError` 400 if there is none."""
    _, name, container = place
    wrote = logs.processes(*place)
    # A process that waits for its restart is not in the log yet.
    previous = len(wrote) - (1 if _is_waiting(pod, container) else 2)
    if previous > 0 or (previous == 0 and wrote[0]):
        return previous
    raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')


def _is_waiting(pod: KubernetesObject, container: str) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return any(
        one.get("name") == container and "waiting" in (one.get("state") or {}) for one in statuses
    )


def _phase(pod: KubernetesObject) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"true", "1"}


def _names(containers: object) -> list[str]:
    found = containers if isinstance(containers, list) else []
    return [str(one["name"]) for one in found if isinstance(one, dict) and "name" in one]


def _container(pod: KubernetesObject, asked: str) -> str:
    """Return the requested container; it must be one of the pod's, since it becomes a path."""
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
