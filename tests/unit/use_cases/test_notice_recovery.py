"""A record that says Failed says Ready once what it lacked is there."""

from __future__ import annotations

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import ConflictError, RejectedByPlatformError
from knative_lambda.domain.events import (
    BUILD_FAILED,
    FUNCTION_READY,
    BuildComplete,
    ObjectReference,
)
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import HELLO, IMAGE_PREFIX, ControlPlane, asking
from tests.helpers.fakes_platform import READY
from tests.unit.use_cases.helpers.interleaving import once_before

SERVICE = ObjectReference(kind="Service", namespace="default", name="hello")
TRIGGER = ObjectReference(kind="Trigger", namespace="default", name="hello-0123456789abcdef")
MISSING = ServiceState(
    ready=False, failure_reason="RevisionFailed", failure_message="no Secret default/a"
)
NO_BROKER = ServiceState(
    ready=False,
    failure_reason="BrokerDoesNotExist",
    failure_message="Trigger hello-1: no such Broker",
    serves=True,
)


class Failed(ControlPlane):
    """HELLO was built, and did not start."""

    def __init__(self, why=MISSING):
        super().__init__()
        self.services.outcome = why
        self.first = self.deploy()
        assert self.first.type == BUILD_FAILED

    def changed(self, event=None, reference=SERVICE):
        """Deliver what the ApiServerSource says of a Service or Trigger."""
        return self.notice_recovery(event or self.event(), reference)

    @property
    def conditions(self):
        return {c.type: c.status for c in self.record.status.conditions}


def in_any_way(world):
    """Whatever could be written."""
    return (world.record, dict(world.services.deployments), set(world.services.watched))


@pytest.mark.parametrize("why", [MISSING, NO_BROKER], ids=["service", "trigger"])
@pytest.mark.parametrize("reference", [SERVICE, TRIGGER], ids=lambda item: item.kind)
def test_what_starts_by_itself_after_all_is_ready(why, reference):
    world = Failed(why)
    assert HELLO in world.services.watched
    world.services.outcome = READY
    reply = world.changed(reference=reference)
    status = world.record.status
    assert (reply.type, reply.function) == (FUNCTION_READY, HELLO)
    assert (reply.data.build_id, reply.data.image) == (status.build.id, status.image)
    assert (status.phase, status.url, status.revision) == (Phase.READY, READY.url, READY.revision)
    assert set(world.conditions.values()) == {"True"}
    assert HELLO not in world.services.watched


def test_nothing_of_the_failure_is_left_in_the_record():
    world = Failed()
    world.services.outcome = READY
    world.changed()
    said = world.record.status.build
    assert (said.reason, said.message, said.log, said.log_uri) == (None, None, None, None)
    assert said.finished_at is not None


@pytest.mark.parametrize(
    "still",
    [MISSING, NO_BROKER, ServiceState(ready=False)],
    ids=["failed", "without events", "starting"],
)
def test_what_is_not_ready_yet_changes_nothing(still):
    world = Failed()
    before = in_any_way(world)
    world.services.outcome = still
    assert world.changed() is None
    assert in_any_way(world) == before


def test_a_redelivered_event_repeats_the_reply():
    world = Failed()
    world.services.outcome = READY
    event = world.event()
    first = world.changed(event)
    assert world.changed(event) == first
    assert first is not None


def test_further_events_are_not_told_again():
    world = Failed()
    world.services.outcome = READY
    world.changed()
    before = in_any_way(world)
    assert world.changed() is None
    assert world.changed(reference=TRIGGER) is None
    assert in_any_way(world) == before


def test_of_several_events_at_once_one_tells():
    world = Failed()
    world.services.outcome = READY
    state, replies = world.services.state, []

    def state_after_the_other_event(deployment):
        if not replies:
            replies.append(None)
            replies.append(world.changed())
        return state(deployment)

    world.services.state = state_after_the_other_event
    replies.append(world.changed(reference=TRIGGER))
    assert [reply.type for reply in replies if reply] == [FUNCTION_READY]


def test_an_event_of_the_failure_that_comes_late_changes_nothing():
    world = Failed()
    (job,) = world.jobs.list()
    world.services.outcome = READY
    world.changed()
    before = in_any_way(world)
    assert world.job_changed(job.name) is None
    assert in_any_way(world) == before


def with_a_newer_request(world):
    world.start(source=asking("newer"))


def with_a_request_whose_build_is_not_known_yet(world):
    newer = world.record.stamp.model_copy(update={"event_id": "next"})
    world.records.replace_request(world.record.model_copy(update={"stamp": newer}))


def while_it_is_deleted(world):
    going = world.record.status.model_copy(update={"phase": Phase.DELETING})
    world.records.replace_status(world.record.model_copy(update={"status": going}))


def after_it_was_deleted(world):
    world.records.delete(world.record)


def after_its_service_was_deleted(world):
    world.services.delete(HELLO)


OTHER_ENDS = [
    with_a_newer_request,
    with_a_request_whose_build_is_not_known_yet,
    while_it_is_deleted,
    after_it_was_deleted,
    after_its_service_was_deleted,
]


@pytest.mark.parametrize("happens", OTHER_ENDS, ids=lambda each: each.__name__)
def test_nothing_is_recovered(happens):
    world = Failed()
    happens(world)
    world.services.outcome = READY
    before = in_any_way(world)
    assert world.changed() is None
    assert in_any_way(world) == before


@pytest.mark.parametrize("happens", OTHER_ENDS[:-1], ids=lambda each: each.__name__)
def test_nothing_is_recovered_where_that_happens_meanwhile(happens):
    world = Failed()

    def state(_deployment):
        happens(world)
        return READY

    world.services.state = state
    assert world.changed() is None
    assert world.record is None or world.record.status.phase is not Phase.READY


def test_a_build_that_failed_is_not_mended_by_the_revision_before():
    world = ControlPlane()
    world.deploy()
    job = world.start(source=asking("broken")).data.job
    world.jobs.fail(job, BuildFailure(reason="No", message="no", is_users=True))
    world.job_changed(job)
    assert world.notice_recovery(world.event(), SERVICE) is None
    assert world.record.status.phase is Phase.FAILED


def test_a_refused_version_is_not_mended_by_the_revision_before():
    world = ControlPlane()
    world.deploy()
    apply = world.services.apply

    def refuse(_deployment):
        raise RejectedByPlatformError("too much memory")

    world.services.apply = refuse
    job = world.start(source=asking("2")).data.job
    world.finish(job)
    assert world.job_changed(job).data.reason == "RejectedByPlatform"
    world.services.apply = apply
    assert world.notice_recovery(world.event(), SERVICE) is None
    assert world.record.status.phase is Phase.FAILED


@pytest.mark.parametrize("name", ["a", "-0123456789abcdef", "a" * 60])
@pytest.mark.parametrize("kind", ["Service", "Trigger"])
def test_what_cannot_be_a_lambdas_is_nobodys(kind, name):
    reference = ObjectReference.model_construct(kind=kind, namespace="default", name=name)
    assert Failed().changed(reference=reference) is None


def test_a_lambda_that_never_failed_costs_one_read():
    world = ControlPlane()
    world.deploy()
    assert not world.services.watched

    def unused(*_arguments):
        raise AssertionError("asked for")

    world.services.state = world.services.apply = world.services.watch = unused
    assert world.notice_recovery(world.event(), SERVICE) is None


def test_a_failure_is_watched_before_it_is_told():
    world = ControlPlane()
    world.services.outcome = MISSING
    watch = world.services.watch

    def fail(_deployment):
        raise ConflictError("somebody wrote at the same time")

    world.services.watch = fail
    job = world.start().data.job
    world.finish(job)
    event = world.event()
    with pytest.raises(ConflictError):
        world.job_changed(job, event)
    world.services.watch = watch
    assert world.job_changed(job, event).type == BUILD_FAILED
    assert HELLO in world.services.watched


def built(outcome):
    """A world in which HELLO's Job ended well, and that Job."""
    world = ControlPlane()
    world.services.outcome = outcome
    job = world.start().data.job
    world.finish(job)
    return world, job


@pytest.mark.parametrize("between", ["apply", "state", "watch"])
def test_a_failure_that_somebody_else_settles_meanwhile_is_told_once_and_watched(between):
    world, job = built(MISSING)
    replies = []
    once_before(world.services, between, lambda: replies.append(world.job_changed(job)))
    replies.append(world.job_changed(job))
    assert [reply.type for reply in replies if reply] == [BUILD_FAILED]
    assert HELLO in world.services.watched


def test_a_late_event_that_is_killed_after_its_apply_leaves_a_failure_watched():
    world, job = built(MISSING)
    event, state = world.event(), world.services.state

    def be_killed(_deployment):
        raise KeyboardInterrupt

    def let_the_other_settle():
        world.job_changed(job)
        world.services.state = be_killed

    once_before(world.services, "apply", let_the_other_settle)
    with pytest.raises(KeyboardInterrupt):
        world.job_changed(job, event)
    world.services.state = state
    assert world.job_changed(job, event) is None
    assert HELLO in world.services.watched


def test_a_late_event_of_a_build_that_serves_watches_nothing():
    world, job = built(READY)
    replies = []
    once_before(world.services, "apply", lambda: replies.append(world.job_changed(job)))
    replies.append(world.job_changed(job))
    assert [reply.type for reply in replies if reply] == [FUNCTION_READY]
    assert world.job_changed(job) is None
    assert not world.services.watched


def test_what_recovers_before_the_failure_was_told_ends_ready():
    world = ControlPlane()
    world.services.outcome = MISSING
    job = world.start().data.job
    world.finish(job)
    event = world.event()
    first = world.job_changed(job, event)
    world.services.outcome = READY
    assert (first.type, world.job_changed(job, event).type) == (BUILD_FAILED, FUNCTION_READY)
    assert world.record.status.phase is Phase.READY


def test_the_same_request_again_is_not_watched_any_more():
    world = Failed()
    world.services.outcome = READY
    data = world.start().data
    complete = BuildComplete(build_id=data.build_id, digest=data.digest)
    assert world.complete_build.image_found(world.event(), HELLO, complete).type == FUNCTION_READY
    assert HELLO not in world.services.watched
    assert world.services.deployments[HELLO].image.startswith(f"{IMAGE_PREFIX}/default/hello@")
