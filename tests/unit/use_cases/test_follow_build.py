"""A short build is deployed the moment it ends, whoever tells of it first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.events import BUILD_FAILED, FUNCTION_READY
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import HELLO, ControlPlane

BROKEN = BuildFailure(reason="RequirementNotFound", message="no such package", is_users=True)
NEWER = {"source": {"inline": {"main.py": "newer"}}}


class Followed(ControlPlane):
    """A build that runs, and what happens while somebody follows it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.started = self.start().data
        self.job = self.started.job
        self.jobs.run(self.job)
        self.began = self.clock.now()

    def follow(self, event=None):
        """Deliver build.started."""
        return self.complete_build.build_started(event or self.event(), self.started)

    @property
    def held(self):
        return self.clock.now() - self.began

    def after(self, seconds, happens):
        self.meanwhile = lambda: self.held > timedelta(seconds=seconds) and happens()


@pytest.fixture
def world():
    return Followed()


def test_a_build_that_ends_soon_is_deployed_at_once(world):
    world.after(3, lambda: world.finish(world.job))
    assert world.follow().type == FUNCTION_READY
    assert world.held < timedelta(seconds=5)
    assert world.record.status.phase is Phase.READY


def test_a_build_that_fails_soon_is_told_at_once(world):
    world.after(3, lambda: world.jobs.fail(world.job, BROKEN))
    reply = world.follow()
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, BROKEN.reason)
    assert world.held < timedelta(seconds=5)


def test_a_long_build_is_left_to_its_job(world):
    assert world.follow() is None
    assert timedelta(seconds=30) <= world.held < timedelta(seconds=35)
    world.finish(world.job)
    assert world.job_changed(world.job).type == FUNCTION_READY


def test_the_jobs_own_events_have_nothing_to_add(world):
    world.after(3, lambda: world.finish(world.job))
    world.follow()
    assert world.job_changed(world.job) is None


def test_a_follower_has_nothing_to_add_to_the_jobs_own_event(world):
    replies = []

    def told_by_the_job():
        world.meanwhile = lambda: None
        world.finish(world.job)
        replies.append(world.job_changed(world.job))

    world.after(3, told_by_the_job)
    assert world.follow() is None
    assert [reply.type for reply in replies] == [FUNCTION_READY]


def test_the_same_delivery_again_answers_the_same(world):
    event = world.event()
    world.finish(world.job)
    first = world.follow(event)
    assert world.follow(event) == first


def test_a_build_without_a_pod_is_not_followed():
    world = ControlPlane()
    started = world.start().data
    before = world.clock.now()
    assert world.complete_build.build_started(world.event(), started) is None
    assert world.clock.now() - before < timedelta(seconds=5)


@pytest.mark.parametrize("happens", ["deleted", "overtaken", "gone"])
def test_a_build_that_nobody_wants_any_more_is_not_deployed(world, happens):
    def change():
        world.meanwhile = lambda: None
        if happens == "deleted":
            world.delete_lambda(world.event(), HELLO)
        elif happens == "overtaken":
            world.start(**NEWER)
            world.finish(world.job)
        else:
            world.jobs.delete(world.job)

    world.after(3, change)
    assert world.follow() is None
    assert HELLO not in world.services.deployments
