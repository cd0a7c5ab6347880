"""A record that somebody applied is a request, as an event is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from knative_lambda.domain.errors import (
    SourceNotFoundError,
    SourceUnavailableError,
    UnsupportedRuntimeError,
)
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_PACKAGED,
    BUILD_STARTED,
    BUILD_SUPERSEDED,
    FUNCTION_DELETED,
    FUNCTION_READY,
    REBUILD,
    Rebuild,
)
from knative_lambda.domain.hosted_source import SourceFile
from knative_lambda.domain.lambda_function import LambdaFunctionSpec, Phase
from knative_lambda.use_cases.rebuild import RebuildLambda
from tests.helpers.control_plane import HELLO, ControlPlane, asking


def spec_of(text="one", **fields):
    source = {"source": asking(text), "runtime": "python3.11"}
    return LambdaFunctionSpec.model_validate(source | fields)


class World(ControlPlane):
    def apply(self, spec=None, **how):
        self.clock.advance(timedelta(seconds=1))
        return self.records.apply(HELLO, spec or spec_of(), self.clock.now(), **how)

    def applied(self):
        return self.start_build.applied(HELLO)

    def deploy_applied(self):
        reply = self.applied()
        if reply.type == BUILD_STARTED:
            self.leave(reply.data.job)
            reply = self.job_changed(reply.data.job)
        if reply.type == BUILD_PACKAGED:
            reply = self.publish(reply)
        return self.complete(reply)

    def remove(self):
        """Remove the record as a person does; Kubernetes collects what it owns."""
        self.records.delete(self.record)
        self.services.delete(HELLO)

    def conditions(self):
        return {each.type: each for each in self.record.status.conditions}


@pytest.fixture
def world():
    return World()


def test_an_applied_record_is_built_and_served(world):
    world.apply()
    assert world.deploy_applied().type == FUNCTION_READY
    assert world.record.status.phase is Phase.READY
    assert world.record.status.observed_generation == 1


def test_a_second_event_about_it_costs_one_read_and_no_write(world):
    world.apply()
    world.deploy_applied()
    version = world.record.resource_version
    reads = []
    get = world.records.get
    world.records.get = lambda function: reads.append(function) or get(function)
    for _ in range(20):
        assert world.applied() is None
    assert len(reads) == 20
    assert get(HELLO).resource_version == version
    assert len(world.jobs.started) == 1


def test_each_delivery_of_the_first_event_has_the_same_reply_until_it_is_taken_up(world):
    world.apply()
    assert world.applied().type == BUILD_STARTED
    assert world.applied() is None  # the reply to the first is what goes on


def test_a_change_by_hand_is_another_request(world):
    world.apply()
    world.deploy_applied()
    world.apply(spec_of("two"))
    assert world.deploy_applied().type == FUNCTION_READY
    assert len(world.jobs.started) == 2


def test_another_value_of_redeploy_is_another_request_for_the_same_spec(world):
    world.apply()
    world.deploy_applied()
    world.apply(redeploy="again")
    assert not world.record.is_observed
    assert world.applied().type == BUILD_COMPLETE  # the image is there
    assert world.applied() is None


def test_a_change_by_hand_after_an_event_is_the_newest_request(world):
    world.deploy()
    world.apply(spec_of("by hand"))
    assert world.deploy_applied().type == FUNCTION_READY
    assert world.record.spec == spec_of("by hand")


def test_an_event_after_a_change_by_hand_is_the_newest_request(world):
    world.apply()
    world.deploy_applied()
    assert world.start(source=asking("event")).type == BUILD_STARTED
    assert world.record.spec.source.inline == asking("event")["inline"]
    assert not world.record.is_applied


def test_an_event_that_comes_later_than_a_newer_change_by_hand_is_superseded(world):
    late = world.event()
    world.apply()
    assert world.start(late, source=asking("event")).type == BUILD_SUPERSEDED
    assert world.record.spec == spec_of()


def test_an_event_that_comes_again_after_a_change_by_hand_does_not_undo_it(world):
    event = world.event()
    world.start(event, source=asking("event"))
    world.clock.advance(timedelta(seconds=-10))  # the clock of the API server may be behind
    world.records.apply(HELLO, spec_of("by hand"), world.clock.now())
    world.clock.advance(timedelta(seconds=10))
    assert world.start(event, source=asking("event")).type == BUILD_SUPERSEDED
    assert world.record.spec == spec_of("by hand")


def test_what_an_event_wrote_is_left_to_whoever_has_that_event_in_hand(world):
    world.start()
    record = world.record
    status = record.status.model_copy(update={"build": None, "observed_request": None})
    world.records.replace_status(record.model_copy(update={"status": status}))
    assert world.applied() is None
    world.clock.advance(timedelta(minutes=2))
    assert world.applied() is not None  # nobody has it any more


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"source": {"uri": "s3://sources/default/none"}}, SourceNotFoundError, "SourceNotFound"),
        ({"runtime": "cobol1"}, UnsupportedRuntimeError, "UnsupportedRuntime"),
    ],
)
def test_a_request_that_can_never_work_is_told_in_the_status_once(world, fields, error, reason):
    world.apply(spec_of(**fields))
    with pytest.raises(error):
        world.applied()
    status = world.record.status
    assert (status.phase, status.observed_generation) == (Phase.FAILED, 1)
    for type_, value in (("Ready", "False"), ("SourceReady", "False"), ("Stalled", "True")):
        condition = world.conditions()[type_]
        assert (condition.status, condition.reason) == (value, reason)
        assert condition.message
    assert world.applied() is None


def test_a_host_that_does_not_respond_is_told_until_it_does(world):
    uri = "git+https://git.example/team/code"
    world.apply(spec_of(source={"uri": uri}))
    checkout = world.hosted.checkout

    def no_response(*_):
        raise SourceUnavailableError("the source's host does not respond in time")

    world.hosted.checkout = no_response
    for _ in range(2):
        with pytest.raises(SourceUnavailableError):
            world.applied()
    told = world.record
    assert told.status.phase is Phase.PENDING
    for type_, value in (("Ready", "Unknown"), ("SourceReady", "Unknown"), ("Reconciling", "True")):
        condition = world.conditions()[type_]
        assert (condition.status, condition.reason) == (value, "SourceUnavailable")
    assert not told.is_observed
    with pytest.raises(SourceUnavailableError):
        world.applied()
    assert world.record.resource_version == told.resource_version  # no write, so no event

    world.hosted.checkout = checkout
    files = [SourceFile("main.py", b"CODE = 1")]
    world.hosted.commits[uri] = ("c" * 40, files)
    assert world.deploy_applied().type == FUNCTION_READY


def test_a_host_that_fails_in_other_words_each_time_makes_no_further_events(world):
    """Each write of a status is an event, and each event is delivered thirteen times."""
    world.apply(spec_of(source={"uri": "git+https://git.example/team/code"}))
    words = (f"the source's host refuses: {number}" for number in range(9))

    def refused(*_):
        raise SourceUnavailableError(next(words))

    world.hosted.checkout = refused
    versions = set()
    for _ in range(5):
        with pytest.raises(SourceUnavailableError):
            world.applied()
        versions.add(world.record.resource_version)
    assert len(versions) == 1


def test_what_serves_goes_on_while_the_newest_request_is_rejected(world):
    world.apply()
    world.deploy_applied()
    served = world.record.status
    world.apply(spec_of(runtime="cobol1"))
    with pytest.raises(UnsupportedRuntimeError):
        world.applied()
    status = world.record.status
    assert (status.image, status.url, status.build) == (served.image, served.url, served.build)
    # An event of the build of before neither fails nor deploys with the new spec.
    job = world.jobs.started[0].name
    assert world.job_changed(job) is None
    assert len(world.services.deployments) == 1


def test_a_rejected_record_that_is_mended_is_built(world):
    world.apply(spec_of(runtime="cobol1"))
    with pytest.raises(UnsupportedRuntimeError):
        world.applied()
    world.apply()
    assert world.deploy_applied().type == FUNCTION_READY
    assert "Stalled" not in world.conditions()


def test_a_record_that_cannot_be_read_is_told_in_its_status(world):
    world.records.unreadable.add(HELLO)
    assert world.applied() is None
    assert HELLO in world.records.refused


def test_a_record_that_is_gone_or_going_is_left_alone(world):
    assert world.applied() is None
    world.apply()
    world.records.records[HELLO] = world.record.model_copy(update={"deleting": True})
    assert world.applied() is None
    assert not world.jobs.started


def test_it_says_that_it_is_reconciling_only_while_it_is(world):
    world.apply()
    reply = world.applied()
    assert world.conditions()["Reconciling"].status == "True"
    world.leave(reply.data.job)
    world.complete(world.publish(world.job_changed(reply.data.job)))
    assert not {"Reconciling", "Stalled"} & world.conditions().keys()


def test_cleanup_has_a_record_reported_again_that_nobody_has_taken_up(world):
    world.apply()
    world.clean_up(dry_run=False)
    assert not world.records.reminded  # its event may be under way
    world.clock.advance(timedelta(minutes=2))
    assert world.clean_up(dry_run=True).data.notified_records == 1
    assert not world.records.reminded
    assert world.clean_up(dry_run=False).data.notified_records == 1
    assert HELLO in world.records.reminded
    world.deploy_applied()
    assert world.clean_up(dry_run=False).data.notified_records == 0


def test_what_a_removed_record_left_is_removed(world):
    world.apply()
    world.deploy_applied()
    world.remove()
    assert world.delete_lambda.removed(world.event(), HELLO).type == FUNCTION_DELETED
    assert not list(world.jobs.list())
    assert not any(world.registry.images.values())
    assert list(world.storage.objects) == ["s3://own/deleted/default/hello"]


def test_the_removal_of_a_record_of_which_nothing_is_left_is_not_told_again(world):
    world.apply()
    world.deploy_applied()
    world.delete_lambda(world.event(), HELLO)
    assert world.delete_lambda.removed(world.event(), HELLO) is None


def test_a_record_that_is_there_again_keeps_what_it_has(world):
    world.apply()
    world.deploy_applied()
    world.remove()
    world.apply()
    objects = dict(world.storage.objects)
    assert world.delete_lambda.removed(world.event(), HELLO) is None
    assert world.storage.objects == objects


def test_a_record_that_comes_back_in_the_middle_of_a_removal_is_built_again(world):
    world.apply()
    world.deploy_applied()
    world.remove()
    find = world.registry.list_tags

    def come_back(repository):
        tags = find(repository)
        if world.record is None:
            world.apply()
            world.applied()
        return tags

    world.registry.list_tags = come_back
    reply = world.delete_lambda.removed(world.event(), HELLO)
    assert reply.type == REBUILD
    rebuild = RebuildLambda(records=world.records, start_build=world.start_build)
    again = rebuild(world.event(), HELLO, Rebuild())
    world.leave(again.data.job)
    ready = world.complete(world.publish(world.job_changed(again.data.job)))
    assert ready.type == FUNCTION_READY


def test_an_event_from_before_a_removal_does_not_bring_the_lambda_back(world):
    late = world.event()
    world.apply()
    world.deploy_applied()
    world.remove()
    world.delete_lambda.removed(world.event(), HELLO)
    assert world.start(late).type == BUILD_SUPERSEDED
    assert world.record is None


def test_a_deletion_by_event_from_before_a_change_by_hand_is_not_carried_out(world):
    late = world.event()
    world.apply()
    assert world.delete_lambda(late, HELLO).type == BUILD_SUPERSEDED
    assert world.record is not None


def test_a_record_from_the_far_future_holds_up_no_later_event(world):
    """Whoever may write a record may write its annotations, and who wrote which fields when."""
    world.records.apply(HELLO, spec_of(), world.clock.now() + timedelta(days=36500))
    assert world.start().type == BUILD_STARTED


def test_a_record_from_the_far_future_can_be_deleted_by_an_event(world):
    world.records.apply(HELLO, spec_of(), world.clock.now() + timedelta(days=36500))
    assert world.delete_lambda(world.event(), HELLO).type == FUNCTION_DELETED
    assert HELLO not in world.records.records


def test_a_record_whose_clock_is_a_little_fast_is_newer_all_the_same(world):
    world.records.apply(HELLO, spec_of(), world.clock.now() + timedelta(minutes=4))
    assert world.start().type == BUILD_SUPERSEDED


def test_a_record_that_says_it_is_of_an_event_of_the_far_future_is_taken_up(world):
    """Nobody has that event in hand, and its author is told what becomes of the record."""
    record = world.apply()
    stamp = record.stamp.model_copy(update={"time": world.clock.now() + timedelta(days=36500)})
    made_up = record.model_copy(update={"stamp": stamp, "event_stamp": stamp})
    world.records.records[HELLO] = made_up
    assert world.applied().type == BUILD_STARTED
