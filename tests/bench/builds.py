"""What watches and Brokers tell of one build, with a Job or without, on every platform."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.bench.timeline import Seen
from tests.helpers.cluster import BUILDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BUILD_PACKAGED = "dev.knative-lambda.build.packaged.v1"
BUILD_COMPLETE = "dev.knative-lambda.build.complete.v1"
FUNCTION_READY = "dev.knative-lambda.function.ready.v1"
BUILD_START_SOURCE = "/knative-lambda/build-start"
JOB, SCHEDULED, BUILT = "Job created", "its Pod scheduled", "build ended"
PACKAGED = "build.packaged sent"
IN_REGISTRY = "image in the registry"
_EVENT = "CloudEvent"
_FIELDS = ("initContainerStatuses", "containerStatuses")


def event_seen(at: float, attributes: Mapping[str, str]) -> Seen:
    """An event of a Broker as one change among others; its name is that of the lambda."""
    name = attributes.get("subject", "").rpartition("/")[2]
    return Seen(at, _EVENT, {"metadata": {"name": name}, "attributes": dict(attributes)})


def build_moments(changes: Iterable[Seen], name: str, begin: float) -> dict[str, float]:
    """When a build of that lambda that began after `begin` came to each of its steps.

    `IN_REGISTRY` is the end of the container `publish`, or that `build.complete` was sent, which
    says the same; also of an image that was there before.
    """

    def is_pod(seen: Seen) -> bool:
        return _is_of_this_build(seen, "Pod", name, begin)

    tests: dict[str, Callable[[Seen], bool]] = {
        JOB: lambda seen: is_job(seen, name, begin),
        SCHEDULED: lambda seen: is_pod(seen) and is_true(seen, "PodScheduled"),
        BUILT: lambda seen: is_pod(seen) and _has_ended(seen, "build"),
        PACKAGED: lambda seen: is_event(seen, name, BUILD_PACKAGED),
        IN_REGISTRY: lambda seen: (
            (is_pod(seen) and _has_ended(seen, "publish")) or is_event(seen, name, BUILD_COMPLETE)
        ),
    }
    changes = sorted(changes, key=lambda seen: seen.at)
    found = {what: first(changes, holds) for what, holds in tests.items()}
    return {what: seen.at for what, seen in found.items() if seen}


def first(changes: Iterable[Seen], holds: Callable[[Seen], bool]) -> Seen | None:
    """The first change of which that holds."""
    return next((seen for seen in changes if holds(seen)), None)


def is_event(seen: Seen, name: str, type_: str) -> bool:
    """Whether this is an event of that type about that lambda."""
    is_about = seen.kind == _EVENT and seen.name == name
    return is_about and seen.object["attributes"]["type"] == type_


def is_job(seen: Seen, name: str, begin: float) -> bool:
    """Whether this is a Job that was made for that lambda since then, not one that goes."""
    return _is_of_this_build(seen, "Job", name, begin)


def is_true(seen: Seen, condition: str) -> bool:
    """Whether the object has that condition."""
    conditions = seen.status.get("conditions") or []
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _is_of_this_build(seen: Seen, kind: str, name: str, begin: float) -> bool:
    if seen.kind != kind or f"-{name}-" not in seen.name:
        return False
    metadata = seen.object["metadata"]
    # Kubernetes keeps whole seconds.
    created = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
    return metadata.get("namespace") == BUILDS and created >= int(begin)


def _has_ended(seen: Seen, container: str) -> bool:
    found = [item for field in _FIELDS for item in seen.status.get(field) or []]
    return any(
        item["name"] == container and "terminated" in item.get("state", {}) for item in found
    )
