"""A short build is deployed the moment it ends, whoever tells of it first."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure, JobState, packages_object_key
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.events import BUILD_FAILED, BUILD_PACKAGED, FUNCTION_READY
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.kept_packages import PackagesNotes
from knative_lambda.use_cases.watch_build import WatchBuild
from tests.helpers.control_plane import HELLO, PACKAGES_MAX_BYTES, STORAGE, ControlPlane, asking
from tests.helpers.package_archives import packages_archive

BROKEN = BuildFailure(reason="RequirementNotFound", message="no such package", is_users=True)
NEWER = {"source": asking("newer")}


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

    def deliver(self, event):
        """Deliver build.started to both who take it."""
        watch = WatchBuild(
            records=self.records,
            jobs=self.jobs,
            storage=self.storage,
            clock=self.clock,
            storage_url=STORAGE,
            start_timeout=timedelta(seconds=90),
            pause=self.pause,
        )
        return watch.build_started(event, HELLO, self.started) or self.follow(event)

    def store(self, size_bytes):
        """Let the build store an object, and go on."""
        key = packages_object_key(HELLO, self.started.build_id)
        self.storage.write(STORAGE + key, io.BytesIO(b"x" * size_bytes))

    def install(self):
        """Let the build store its packages; the kubelet has not told of its end."""
        key = packages_object_key(HELLO, self.started.build_id)
        self.storage.write(STORAGE + key, io.BytesIO(packages_archive({"of.py": "x"})))

    @property
    def stored(self):
        return [uri for uri in self.storage.objects if uri.startswith(f"{STORAGE}packages/")]

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


def fails(world):
    world.jobs.fail(world.job, BROKEN, log="the end")


def publishes(world):
    """As Jobs of an older version do."""
    world.finish(world.job)


def stores_too_much(world):
    world.complete_build = replace(world.complete_build, watches_size=True)
    world.store(PACKAGES_MAX_BYTES + 1)


@pytest.mark.parametrize(
    "ends", [fails, publishes, stores_too_much], ids=lambda ends: ends.__name__
)
def test_whoever_waited_first_an_answer_that_was_lost_is_repeated_as_it_was(world, ends):
    event = world.event()
    ends(world)
    first = world.deliver(event)
    assert first is not None
    assert world.deliver(event) == first


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


@pytest.fixture
def watching(world):
    """The same where the storage takes an upload of any size."""
    world.complete_build = replace(world.complete_build, watches_size=True)
    return world


def test_a_build_that_stores_too_much_fails_while_it_runs(watching):
    watching.after(3, lambda: watching.store(PACKAGES_MAX_BYTES + 1))
    reply = watching.follow()
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, "PackagesTooLarge")
    assert reply.data.retryable is False
    assert str(PACKAGES_MAX_BYTES) in reply.data.message
    assert watching.held < timedelta(seconds=5)
    assert watching.record.status.build.reason == "PackagesTooLarge"


def test_of_a_build_that_stores_too_much_nothing_stays_and_nothing_goes_on(watching):
    watching.store(PACKAGES_MAX_BYTES + 1)
    watching.follow()
    assert watching.stored == []
    assert watching.jobs.get(watching.job) is None


def test_a_long_build_is_watched_to_its_end_where_it_can_store_too_much(watching):
    event = watching.event()
    for _ in range(3):
        with pytest.raises(NotReadyError):
            watching.follow(event)
    assert watching.held > timedelta(seconds=90)
    watching.store(PACKAGES_MAX_BYTES + 1)
    assert watching.follow(event).data.reason == "PackagesTooLarge"


def test_a_build_that_may_still_go_on_is_waited_for_though_its_packages_are_stored(watching):
    watching.store(PACKAGES_MAX_BYTES)
    watching.after(3, lambda: watching.jobs.succeed(watching.job))
    assert watching.follow().type == BUILD_PACKAGED
    assert watching.held > timedelta(seconds=3)
    assert len(watching.stored) == 1


@pytest.fixture
def passed_on(world):
    """What publish replied while the Pod of the Job, whose packages it used, still ran."""
    world.install()
    return world.publish(world.follow())


def test_packages_are_passed_on_before_it_is_known_that_their_build_has_ended(world):
    world.after(3, world.install)
    assert world.follow().type == BUILD_PACKAGED
    assert world.jobs.get(world.job).state is JobState.RUNNING
    assert world.held < timedelta(seconds=4)


def test_an_image_is_deployed_once_its_build_has_ended(world, passed_on):
    world.after(1, lambda: world.jobs.succeed(world.job))
    assert world.complete(passed_on).type == FUNCTION_READY
    assert timedelta(seconds=1) < world.held < timedelta(seconds=5)


def test_an_image_whose_build_goes_on_is_not_deployed(world, passed_on):
    for _ in range(3):
        with pytest.raises(NotReadyError):
            world.complete(passed_on)
    assert HELLO not in world.services.deployments
    assert world.record.status.phase is Phase.BUILDING


def test_an_image_whose_build_failed_after_all_is_not_deployed(world, passed_on):
    world.after(1, lambda: world.jobs.fail(world.job, BROKEN, log="the end"))
    reply = world.complete(passed_on)
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, BROKEN.reason)
    assert HELLO not in world.services.deployments


def test_an_image_whose_job_is_gone_is_deployed(world, passed_on):
    world.jobs.delete(world.job)
    assert world.complete(passed_on).type == FUNCTION_READY


@pytest.mark.parametrize("pinned", [True, False])
def test_whether_hashes_name_the_packages_is_known_from_the_end_of_their_build(
    world, passed_on, pinned
):
    world.jobs.succeed(world.job, pinned=pinned)
    world.complete(passed_on)
    said = world.record.status.build
    assert said.packages_pinned is pinned
    notes = PackagesNotes(storage=world.storage, storage_url=STORAGE)
    assert notes.read(HELLO, said.packages_key).pinned is pinned


def test_the_jobs_own_event_knows_whether_hashes_name_the_packages(world, passed_on):
    assert passed_on.data.digest is not None
    world.jobs.succeed(world.job, pinned=True)
    assert world.job_changed(world.job).type == FUNCTION_READY
    assert world.record.status.build.packages_pinned is True


def test_too_much_of_a_build_that_nobody_wants_any_more_fails_nothing(watching):
    watching.start(**NEWER)
    watching.store(PACKAGES_MAX_BYTES + 1)
    assert watching.follow() is None
    assert watching.record.status.phase is Phase.BUILDING


@pytest.mark.parametrize("event", ["build.started", "job"])
def test_too_much_is_found_at_the_end_whoever_tells_of_it(world, event):
    world.store(PACKAGES_MAX_BYTES + 1)
    world.jobs.succeed(world.job)
    reply = world.follow() if event == "build.started" else world.job_changed(world.job)
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, "PackagesTooLarge")
    assert world.stored == []
