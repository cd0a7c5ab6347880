"""A build that an older version began, of two containers that push by themselves, is not lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knative_lambda.adapters.kubernetes.client import JOBS
from knative_lambda.domain.build import image_tag
from knative_lambda.domain.deployment import Deployment, ServiceState
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.events import (
    BUILD_FAILED,
    BUILD_STARTED,
    BUILD_SUPERSEDED,
    FUNCTION_READY,
    BuildStarted,
)
from knative_lambda.domain.lambda_function import Phase
from tests.contract.helpers.build_orders import DIGEST, order
from tests.contract.helpers.older_jobs import start_older_job, write_older_record
from tests.helpers.control_plane import REGISTRY, ControlPlane, asking
from tests.helpers.platforms import KubernetesHands, statuses

BEGAN = "2026-01-01T12:00:00+00:00"
PUSHED = {"publish": f'{{"digest": "{DIGEST}"}}'}
DONE = {"terminated": {"exitCode": 0}}
RUNS = {"running": {"startedAt": "2026-01-01T12:00:01Z"}}
SERVES = ServiceState(ready=True, url="http://hello", revision="hello-00001")


class Upgraded:
    """The control functions of today, beside a record and a Job of an older version."""

    def __init__(self, platform) -> None:
        self.platform = platform
        self.hands: KubernetesHands = platform.hands
        self.order = order(platform, request_id=f"{BEGAN}/event-1")
        self.function = self.order.function
        self.job = start_older_job(platform, self.order)
        write_older_record(platform, self.order)
        self.started = BuildStarted(build_id=self.order.build_id, job=self.job)
        self.world = ControlPlane()
        for name in ("admit_builds", "start_build", "complete_build"):
            use_case = getattr(self.world, name)
            ports = {
                port: getattr(platform, port)
                for port in ("records", "jobs", "queue", "services")
                if hasattr(use_case, port)
            }
            setattr(self.world, name, replace(use_case, **ports))
        admission = self.world.admit_builds
        self.world.start_build = replace(self.world.start_build, admission=admission)

    @property
    def record(self):
        return self.platform.records.get(self.function)

    def push(self) -> None:
        """Let the Job push the image and end; its Job controller has not looked yet."""
        self.push_only()
        self.hands.pod(self.job, {"build": 0, "publish": 0}, PUSHED)

    def push_only(self) -> None:
        repository = f"{REGISTRY}/{self.function}"
        self.world.registry.push(repository, image_tag(self.order.build_id), DIGEST)

    def told_by_its_job(self, event):
        return self.world.job_changed(self.job, event)

    def told_by_who_follows_it(self, event):
        return self.world.complete_build.build_started(event, self.started)

    def serves(self) -> None:
        """What Knative says once the new Revision is there."""
        record = self.record
        deployment = Deployment(
            function=self.function,
            uid=record.uid,
            generation=record.generation,
            spec=record.spec,
            image="",
        )
        self.hands.become(deployment, SERVES)


@pytest.fixture
def upgraded(kubernetes):
    return Upgraded(kubernetes)


@pytest.mark.parametrize("tell", ["told_by_its_job", "told_by_who_follows_it"])
def test_the_image_that_it_pushed_is_deployed(upgraded, tell):
    upgraded.push()
    event = upgraded.world.event()
    with pytest.raises(NotReadyError):
        getattr(upgraded, tell)(event)  # nobody has made the Revision yet
    upgraded.serves()
    reply = getattr(upgraded, tell)(event)
    assert reply.type == FUNCTION_READY
    record = upgraded.record
    assert record.status.phase is Phase.READY
    assert (record.status.build.id, record.status.build.digest) == (upgraded.order.build_id, DIGEST)
    assert record.status.image == f"registry/lambdas/{upgraded.function}@{DIGEST}"


def test_it_is_followed_until_it_has_pushed(upgraded):
    states = {"build": DONE, "publish": RUNS}
    running = {"phase": "Running", **statuses(states)}
    pod = upgraded.hands.pod_with_status(upgraded.job, running)
    looks = []

    def ends_later():
        looks.append(pod)
        if len(looks) == 3:
            upgraded.push()

    upgraded.world.meanwhile = ends_later
    with pytest.raises(NotReadyError):
        upgraded.told_by_who_follows_it(upgraded.world.event())
    assert len(looks) == 3


def test_the_image_of_one_whose_pod_is_gone_is_found_by_its_tag(upgraded):
    upgraded.push_only()
    upgraded.hands.complete(upgraded.job)
    event = upgraded.world.event()
    with pytest.raises(NotReadyError):
        upgraded.told_by_its_job(event)
    upgraded.serves()
    assert upgraded.told_by_its_job(event).type == FUNCTION_READY
    assert upgraded.record.status.build.digest == DIGEST


@pytest.mark.parametrize(
    ("codes", "step"), [({"build": 1}, "build"), ({"build": 0, "publish": 1}, "publish")]
)
def test_its_failure_is_told_in_the_words_of_its_step(upgraded, codes, step):
    said = {step: '{"reason": "Broken", "message": "in its own words"}'}
    upgraded.hands.pod(upgraded.job, codes, said)
    started = {"startTime": "2026-01-01T00:00:00Z"}
    upgraded.hands.end(upgraded.job, ("FailureTarget", "Failed"), "PodFailurePolicy", started)
    reply = upgraded.told_by_its_job(upgraded.world.event())
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, "Broken")
    assert (reply.data.message, reply.data.retryable) == ("in its own words", False)
    assert upgraded.record.status.phase is Phase.FAILED


def test_its_request_delivered_again_finds_it_and_starts_no_other(upgraded):
    record = upgraded.record
    event = upgraded.world.event(id=record.stamp.event_id, time=record.stamp.time)
    reply = upgraded.world.start(event, function=upgraded.function)
    assert (reply.type, reply.data) == (BUILD_STARTED, upgraded.started)
    jobs = upgraded.hands.api.list(JOBS, upgraded.platform.namespace)
    assert [job["metadata"]["name"] for job in jobs] == [upgraded.job]


def test_a_newer_request_has_a_build_of_today_and_the_older_image_is_not_deployed(upgraded):
    newer = upgraded.world.start(function=upgraded.function, source=asking("newer"))
    assert newer.type == BUILD_STARTED
    assert newer.data.job != upgraded.job
    upgraded.push()
    assert upgraded.told_by_its_job(upgraded.world.event()) is None
    assert upgraded.record.status.build.id == newer.data.build_id


def test_an_older_request_that_comes_late_changes_nothing(upgraded):
    late = upgraded.world.event(id="event-0", time=upgraded.record.stamp.time.replace(year=2025))
    reply = upgraded.world.start(late, function=upgraded.function)
    assert reply.type == BUILD_SUPERSEDED
    assert upgraded.record.status.build.job == upgraded.job


def test_it_takes_its_place_among_the_builds_that_run(upgraded):
    (build,) = upgraded.platform.queue.builds()
    assert (build.name, build.waits, build.function) == (upgraded.job, False, upgraded.function)
