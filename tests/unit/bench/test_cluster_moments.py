"""The moments of a deployment, out of what watches and the Broker told of several versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.bench.builds import (
    BUILD_COMPLETE,
    BUILD_PACKAGED,
    BUILT,
    IN_REGISTRY,
    JOB,
    PACKAGED,
    SCHEDULED,
    event_seen,
)
from tests.bench.cluster.moments import (
    CREATED,
    MOMENTS,
    POD_OF,
    POD_READY,
    SERVICE_READY,
    Lambda,
    moments,
)
from tests.bench.timeline import Seen

BEGIN = 1_000.5
NAME, JOB_NAME = "bench-1", "default-bench-1-00000000000000ab"
OLD, NEW = (
    "registry/lambdas/default/bench-1@sha256:old",
    "registry/lambdas/default/bench-1@sha256:new",
)
WANTED = Lambda(NAME, "no packages", 2, OLD)
BUILDS = {"namespace": "knative-lambda-builds"}


def seen(at: float, kind: str, name: str, **fields: Any) -> Seen:
    created = datetime.fromtimestamp(int(fields.pop("created", BEGIN)), UTC)
    metadata = {"name": name, "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return Seen(BEGIN + at, kind, {"metadata": metadata | fields.pop("metadata", {}), **fields})


def conditions(**known: str) -> dict[str, Any]:
    return {"conditions": [{"type": name, "status": status} for name, status in known.items()]}


def build_pod(at: float, *ended: str, fields: dict[str, str] | None = None, **more: Any) -> Seen:
    """The Pod of the build; containers are in fields by name."""
    fields = fields or {"build": "containerStatuses"}
    status: dict[str, Any] = conditions(PodScheduled="True")
    for container, field in fields.items():
        state = {"terminated": {"exitCode": 0}} if container in ended else {"running": {}}
        status.setdefault(field, []).append({"name": container, "state": state})
    return seen(at, "Pod", f"{JOB_NAME}-x", metadata=BUILDS, status=status, **more)


def job(at: float, **more: Any) -> Seen:
    return seen(at, "Job", JOB_NAME, metadata=BUILDS, status={}, **more)


def function_pod(at: float, function: str, ready: str) -> Seen:
    labels = {"serving.knative.dev/service": function}
    metadata = {"namespace": "knative-lambda", "labels": labels}
    return seen(at, "Pod", f"{function}-1", metadata=metadata, status=conditions(Ready=ready))


def service(at: float, image: str, *, ready: bool, observed: int = 2) -> Seen:
    spec = {"template": {"spec": {"containers": [{"image": image}]}}}
    status = conditions(Ready="True" if ready else "Unknown") | {"observedGeneration": observed}
    metadata = {"namespace": "default", "generation": 2}
    return seen(at, "Service", NAME, metadata=metadata, spec=spec, status=status)


def lambda_pod(at: float, image: str) -> Seen:
    labels = {"serving.knative.dev/service": NAME}
    metadata = {"namespace": "default", "labels": labels}
    spec = {"containers": [{"image": image}]}
    status = conditions(Ready="True")
    return seen(at, "Pod", f"{NAME}-{image[-3:]}", metadata=metadata, spec=spec, status=status)


def event(at: float, type_: str, name: str = NAME) -> Seen:
    attributes = {"type": type_, "source": "/knative-lambda/x", "subject": f"default/{name}"}
    return event_seen(BEGIN + at, attributes)


SERVED = [
    service(2.0, OLD, ready=True),
    lambda_pod(2.1, OLD),
    service(3.0, NEW, ready=True, observed=1),
    lambda_pod(4.0, NEW),
    service(5.0, NEW, ready=True),
]
SERVED_AT = {CREATED: 3.0, POD_READY: 4.0, SERVICE_READY: 5.0}


def at(changes: list[Seen]) -> dict[str, float]:
    return {what: round(when - BEGIN, 3) for what, when in moments(changes, WANTED, BEGIN).items()}


def test_a_build_with_two_containers_ends_with_the_second():
    fields = {"build": "initContainerStatuses", "publish": "containerStatuses"}
    changes = [
        job(0.1),
        build_pod(0.2, fields=fields),
        build_pod(1.0, "build", fields=fields),
        build_pod(1.9, "build", "publish", fields=fields),
        *SERVED,
    ]
    expected = {JOB: 0.1, SCHEDULED: 0.2, BUILT: 1.0, IN_REGISTRY: 1.9}
    assert at(changes) == expected | SERVED_AT


def test_a_build_with_one_container_is_published_by_a_function():
    changes = [
        job(0.1),
        build_pod(0.2),
        build_pod(1.0, "build"),
        event(1.2, BUILD_PACKAGED),
        event(1.8, BUILD_COMPLETE),
        *SERVED,
    ]
    expected = {JOB: 0.1, SCHEDULED: 0.2, BUILT: 1.0, PACKAGED: 1.2, IN_REGISTRY: 1.8}
    assert at(changes) == expected | SERVED_AT


def test_a_change_of_code_has_no_job():
    changes = [event(0.1, BUILD_PACKAGED), event(0.4, BUILD_COMPLETE), *SERVED]
    assert at(changes) == {PACKAGED: 0.1, IN_REGISTRY: 0.4} | SERVED_AT


def test_the_job_of_an_earlier_version_that_goes_meanwhile_is_none():
    long_ago = BEGIN - 3_600
    changes = [job(0.1, created=long_ago), build_pod(0.2, "build", created=long_ago), *SERVED]
    assert at(changes) == SERVED_AT


def test_a_job_that_was_made_within_the_second_of_the_request_counts():
    assert at([job(0.1, created=BEGIN)]) == {JOB: 0.1}


def test_other_lambdas_are_left_out():
    other = "bench-2"
    changes = [
        seen(0.1, "Job", f"default-{other}-00000000000000cd", metadata=BUILDS),
        event(0.2, BUILD_COMPLETE, other),
        event(0.3, BUILD_COMPLETE, "more-bench-1"),
    ]
    assert at(changes) == {}


@pytest.mark.parametrize("function", POD_OF)
def test_a_function_that_started_is_told_from_one_that_ran(function: str):
    starts = [function_pod(0.1, function, "False"), function_pod(0.9, function, "True")]
    assert at(starts) == {POD_OF[function]: 0.9}
    assert at([function_pod(0.9, function, "True")]) == {}


def test_what_was_told_late_by_one_watch_is_put_in_order():
    changes = [event(1.8, BUILD_COMPLETE), event(0.4, BUILD_COMPLETE)]
    assert at(changes) == {IN_REGISTRY: 0.4}


def test_every_moment_has_a_row():
    changes = [
        job(0.1),
        build_pod(1.0, "build"),
        event(1.2, BUILD_PACKAGED),
        event(1.8, BUILD_COMPLETE),
        *SERVED,
        *(function_pod(0.1, name, "False") for name in POD_OF),
        *(function_pod(0.9, name, "True") for name in POD_OF),
    ]
    assert at(changes).keys() < set(MOMENTS)
