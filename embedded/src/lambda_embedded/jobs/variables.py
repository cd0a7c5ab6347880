"""The variables of a container of a Job; their Secret may be made after the Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.jobs.pod_record import PodRecord
from lambda_embedded.processes.environment import UnresolvedEnvironmentError, resolve_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambda_embedded.store.objects import KubernetesObject, Objects

_SOURCES = frozenset({"Secret", "ConfigMap"})


def variables_of(
    objects: Objects, pod: KubernetesObject, container: Mapping[str, Any]
) -> dict[str, str]:
    """Return a container's own variables; `UnresolvedEnvironmentError` where some are missing."""
    metadata = pod["metadata"]
    fields = {f"metadata.{name}": metadata[name] for name in ("name", "namespace", "uid")}
    return resolve_environment(objects, metadata["namespace"], container, fields=fields)


async def await_variables(objects: Objects, pod: KubernetesObject) -> None:
    """Return when all variables are there that may still come; the pod says what it waits for."""
    record = PodRecord(objects, pod)
    changes = objects.watch()
    try:
        said = None
        while (missing := _missing(objects, pod)) is not None:
            if missing != said:
                record.waits_for_configuration(*missing)
                said = missing
            while (await changes.get()).kind not in _SOURCES:
                pass
        if said is not None:
            # Whoever looks while it waits for its turn would think that the Secret is missing.
            record.waits_for_turn()
    finally:
        objects.unwatch(changes)


def _missing(objects: Objects, pod: KubernetesObject) -> tuple[str, str] | None:
    """Return the first container that has to wait, and for what."""
    spec = pod["spec"]
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        try:
            variables_of(objects, pod, container)
        except UnresolvedEnvironmentError as error:
            return (container["name"], str(error)) if error.may_come else None
    return None
