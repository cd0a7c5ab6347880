"""The cells of a Pod, with its status worked out from those of its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.api.reads.tables.durations import since

if TYPE_CHECKING:
    from datetime import datetime

    from lambda_embedded.store.objects import KubernetesObject

_NONE = "<none>"


def pod_cells(item: KubernetesObject, now: datetime) -> list[Any]:
    """Return Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    containers = status.get("containerStatuses") or []
    running = [one for one in containers if one.get("ready") and _state(one, "running")]
    return [
        item["metadata"]["name"],
        f"{len(running)}/{len(spec.get('containers') or ())}",
        _terminating(item, status) or _status(spec, status, is_running=bool(running)),
        _restarts(containers, now),
        since(item["metadata"].get("creationTimestamp"), now),
        status.get("podIP") or _NONE,
        spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        _NONE,
    ]


def _terminating(item: KubernetesObject, status: dict[str, Any]) -> str:
    is_over = status.get("phase") in {"Succeeded", "Failed"}
    return "Terminating" if "deletionTimestamp" in item["metadata"] and not is_over else ""


def _status(spec: dict[str, Any], status: dict[str, Any], *, is_running: bool) -> str:
    if beginning := _init_status(spec, status):
        return beginning
    found = status.get("reason") or status.get("phase") or "Pending"
    conditions = status.get("conditions") or []
    if any(one.get("reason") == "SchedulingGated" for one in conditions):
        found = "SchedulingGated"
    # kubectl shows the reason of the first container that has one.
    for container in reversed(status.get("containerStatuses") or []):
        terminated = _state(container, "terminated")
        waiting_for = (_state(container, "waiting") or {}).get("reason")
        if waiting_for or terminated:
            found = waiting_for or _end(terminated)
    if found == "Completed" and is_running:
        is_ready = any(
            one.get("type") == "Ready" and one.get("status") == "True" for one in conditions
        )
        return "Running" if is_ready else "NotReady"
    return str(found)


def _init_status(spec: dict[str, Any], status: dict[str, Any]) -> str:
    for index, container in enumerate(status.get("initContainerStatuses") or []):
        terminated = _state(container, "terminated")
        if terminated and terminated.get("exitCode") == 0:
            continue
        if terminated:
            return f"Init:{_end(terminated)}"
        waiting_for = (_state(container, "waiting") or {}).get("reason") or "PodInitializing"
        if waiting_for != "PodInitializing":
            return f"Init:{waiting_for}"
        return f"Init:{index}/{len(spec.get('initContainers') or ())}"
    return ""


def _state(container: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = (container.get("state") or {}).get(name) or {}
    return found


def _end(terminated: dict[str, Any]) -> str:
    return terminated.get("reason") or f"ExitCode:{terminated.get('exitCode', 0)}"


def _restarts(containers: list[dict[str, Any]], now: datetime) -> str:
    count = sum(one.get("restartCount") or 0 for one in containers)
    ends = [
        ((one.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        for one in containers
    ]
    last = max(ends, default="")
    return f"{count} ({since(last, now)} ago)" if count and last else str(count)
