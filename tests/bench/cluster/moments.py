"""The moments of one deployment on a cluster, out of everything that was seen meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.builds import (
    BUILT,
    IN_REGISTRY,
    JOB,
    PACKAGED,
    SCHEDULED,
    build_moments,
    first,
    is_true,
)
from tests.helpers.cluster import CONTROL, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.timeline import Seen

BUILDERS = ("build-start", "publish", "build-complete")
"""The control functions of a deployment; an older version has no `publish`."""
POD_OF = {name: f"{name}'s Pod ready" for name in BUILDERS}
CREATED, POD_READY = "Service created or changed", "revision's Pod ready"
SERVICE_READY, RECORD_READY = "Service Ready", "record Ready"
TOTAL = "first answer"
MOMENTS = (
    POD_OF["build-start"], JOB, SCHEDULED, BUILT, PACKAGED, POD_OF["publish"], IN_REGISTRY,
    POD_OF["build-complete"], CREATED, POD_READY, SERVICE_READY, RECORD_READY, TOTAL,
)  # fmt: skip


class Lambda(NamedTuple):
    """What is deployed, and how the one before it is told apart."""

    name: str
    kind: str
    version: int
    image: str | None = None


def moments(changes: list[Seen], wanted: Lambda, begin: float) -> dict[str, float]:
    """The first change of each kind, at the time at which we were told of it."""
    found = build_moments(changes, wanted.name, begin)
    tests = _tests_of_service(changes, wanted) | {
        POD_OF[name]: _becomes_ready(name, changes) for name in BUILDERS
    }
    for what, holds in tests.items():
        seen = first(changes, holds)
        if seen:
            found[what] = seen.at
    return found


def image_of(service: dict[str, Any]) -> str:
    """The image that a Service is to run."""
    image: str = service["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def _tests_of_service(changes: list[Seen], wanted: Lambda) -> dict[str, Callable[[Seen], bool]]:
    services = [seen for seen in changes if seen.kind == "Service" and seen.name == wanted.name]
    new = [seen for seen in services if image_of(seen.object) != wanted.image]
    images = {image_of(seen.object) for seen in new}

    def is_observed(seen: Seen) -> bool:
        generation: int = seen.object["metadata"]["generation"]
        return seen.status.get("observedGeneration") == generation

    return {
        CREATED: lambda seen: seen in new,
        POD_READY: lambda seen: (
            _is_pod_of(seen, TENANT, wanted.name)
            and is_true(seen, "Ready")
            and seen.object["spec"]["containers"][0]["image"] in images
        ),
        SERVICE_READY: lambda seen: seen in new and is_observed(seen) and is_true(seen, "Ready"),
    }


def _becomes_ready(function: str, changes: list[Seen]) -> Callable[[Seen], bool]:
    """Holds for a Pod of a control function that is ready now and was not so before."""
    pods = [seen for seen in changes if _is_pod_of(seen, CONTROL, function)]

    def holds(seen: Seen) -> bool:
        return (
            seen in pods
            and is_true(seen, "Ready")
            and any(
                before.at < seen.at and before.name == seen.name and not is_true(before, "Ready")
                for before in pods
            )
        )

    return holds


def _is_pod_of(seen: Seen, namespace: str, service: str) -> bool:
    if seen.kind != "Pod":
        return False
    metadata = seen.object["metadata"]
    labels = metadata.get("labels") or {}
    is_of_service = labels.get("serving.knative.dev/service") == service
    return is_of_service and metadata["namespace"] == namespace
