"""Builds that wait: whose delivery is held, for how long, and who is told."""

from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.events import BUILD_FAILED, FUNCTION_READY, BuildFailed, BuildStarted
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.watch_build import WatchBuild
from tests.helpers.control_plane import HELLO, STORAGE, ControlPlane, asking
from tests.unit.use_cases.helpers.interleaving import once_after

NO_NODE = BuildFailure(
    reason="BuildNotScheduled", message="0/3 nodes are available", is_users=False
)
CRASHED = BuildFailure(reason="BuildCrashed", message="node lost", is_users=False)
OUT_OF_MEMORY = BuildFailure(reason="BuildOutOfMemory", message="over 1Gi", is_users=True)
NEWER = {"source": asking("newer")}


class Watched(ControlPlane):
    """A build that was started, and what happens while somebody waits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.held = timedelta(0)
        self.meanwhile = lambda: None
        self.started: BuildStarted = self.start().data
        self.job = self.started.job

    def watch(self, event=None, *, start_timeout=timedelta(seconds=90)):
        """Deliver build.started."""
        return self.watcher(start_timeout).build_started(event or self.event(), HELLO, self.started)

    def tell(self, reply):
        """Deliver the build.failed that somebody answered."""
        self.watcher().build_failed(HELLO, reply.data)

    def watcher(self, start_timeout=timedelta(seconds=90)):
        return WatchBuild(
            records=self.records,
            jobs=self.jobs,
            storage=self.storage,
            clock=self.clock,
            storage_url=STORAGE,
            start_timeout=start_timeout,
            pause=self.wait,
        )

    def wait(self, seconds: float) -> None:
        self.held += timedelta(seconds=seconds)
        self.clock.advance(timedelta(seconds=seconds))
        self.meanwhile()


@pytest.fixture
def world():
    return Watched()


def test_a_build_that_runs_is_not_waited_for(world):
    world.jobs.run(world.job)
    assert world.watch() is None
    assert world.held == timedelta(0)


def test_a_build_is_waited_for_until_it_runs(world):
    world.jobs.wait(world.job, NO_NODE)
    world.meanwhile = lambda: world.held > timedelta(seconds=5) and world.jobs.run(world.job)
    assert world.watch() is None
    assert timedelta(seconds=5) < world.held < timedelta(seconds=10)
    assert world.record.status.phase is Phase.BUILDING


def test_a_build_that_no_node_takes_fails_within_two_minutes_in_the_schedulers_words(world):
    world.jobs.wait(world.job, NO_NODE)
    reply = world.watch()
    assert reply.type == BUILD_FAILED
    assert (reply.data.reason, reply.data.message) == (NO_NODE.reason, NO_NODE.message)
    assert reply.data.retryable is True
    assert timedelta(seconds=80) < world.held < timedelta(seconds=100)
    assert world.record.status.phase is Phase.FAILED
    assert world.record.status.build.reason == "BuildNotScheduled"
    assert world.record.status.build.log_uri is None


def test_what_can_never_start_fails_at_once(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    assert world.watch().type == BUILD_FAILED
    assert world.held == timedelta(0)


def test_the_time_counts_from_when_the_pod_was_made_also_for_a_second_delivery(world):
    world.jobs.wait(world.job, NO_NODE)
    world.clock.advance(timedelta(seconds=60))
    assert world.watch().type == BUILD_FAILED
    assert world.held < timedelta(seconds=35)


def test_a_pod_whose_clock_is_ahead_is_not_waited_for_longer(world):
    world.clock.advance(timedelta(minutes=5))
    world.jobs.wait(world.job, NO_NODE)
    world.clock.advance(-timedelta(minutes=5))
    assert world.watch().type == BUILD_FAILED
    assert world.held < timedelta(seconds=100)


def test_an_image_that_is_still_on_its_way_is_left_to_the_jobs_deadline(world):
    world.jobs.wait(world.job, None)
    assert world.watch() is None
    assert world.record.status.phase is Phase.BUILDING


def test_a_build_that_waits_for_room_is_left_alone(world):
    assert world.watch() is None
    assert world.held < timedelta(seconds=15)
    world.clock.advance(timedelta(minutes=1))
    world.held = timedelta(0)
    assert world.watch() is None
    assert world.held == timedelta(0)
    assert world.record.status.phase is Phase.BUILDING


def test_nothing_is_waited_for_where_that_is_switched_off(world):
    world.jobs.wait(world.job, NO_NODE)
    assert world.watch(start_timeout=timedelta(0)) is None
    assert world.held == timedelta(0)


def finished(world):
    world.finish(world.job)


def gone(world):
    world.jobs.delete(world.job)


def overtaken(world):
    world.start(**NEWER)


def overtaken_and_not_yet_started(world):
    newer = world.record.stamp.model_copy(update={"event_id": "next"})
    world.records.replace_request(world.record.model_copy(update={"stamp": newer}))


def deleted(world):
    world.delete_lambda(world.event(), HELLO)


def being_deleted(world):
    status = world.record.status.model_copy(update={"phase": Phase.DELETING})
    world.records.replace_status(world.record.model_copy(update={"status": status}))


def told(world):
    world.jobs.fail(world.job, CRASHED)
    assert world.job_changed(world.job).type == BUILD_FAILED


@pytest.mark.parametrize(
    "happens",
    [finished, gone, overtaken, overtaken_and_not_yet_started, deleted, being_deleted, told],
    ids=lambda happens: happens.__name__,
)
@pytest.mark.parametrize("while_it_is_held", [True, False])
def test_a_delivery_is_let_go_when_there_is_nothing_to_wait_for(world, happens, while_it_is_held):
    world.jobs.wait(world.job, NO_NODE)
    if while_it_is_held:
        world.meanwhile = lambda: world.held == timedelta(seconds=0.25) and happens(world)
    else:
        happens(world)
    assert world.watch() is None
    assert world.held <= timedelta(seconds=0.25)


def test_a_build_without_a_job_has_nothing_to_wait_for(world):
    build = world.record.status.build.model_copy(update={"job": None})
    status = world.record.status.model_copy(update={"build": build})
    world.records.replace_status(world.record.model_copy(update={"status": status}))
    assert world.watch() is None
    failed = BuildFailed(
        build_id=world.started.build_id, reason="x", message="", retryable=True, log=""
    )
    assert world.watcher().build_failed(HELLO, failed) is None


def test_a_record_without_a_build_has_nothing_to_wait_for(world):
    status = world.record.status.model_copy(update={"build": None})
    world.records.replace_status(world.record.model_copy(update={"status": status}))
    assert world.watch() is None


def test_an_answer_that_was_lost_is_repeated(world):
    world.jobs.wait(world.job, NO_NODE)
    event = world.event()
    reply = world.watch(event)
    assert world.watch(event) == reply
    world.tell(reply)
    assert world.watch(event) == reply


def test_of_two_deliveries_that_are_held_at_once_one_tells(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    replies = []
    once_after(world.jobs, "pending", lambda: replies.append(world.watch()))
    replies.append(world.watch())
    assert [reply.type for reply in replies if reply] == [BUILD_FAILED]


def test_a_jobs_end_between_the_last_look_and_the_record_is_told_instead(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    once_after(world.jobs, "pending", lambda: told(world))
    assert world.watch() is None
    assert world.record.status.build.reason == "BuildCrashed"


def test_a_jobs_end_after_the_failure_was_told_is_not_told(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    world.watch()
    world.finish(world.job)
    assert world.job_changed(world.job) is None
    assert world.record.status.phase is Phase.FAILED


def test_a_watch_that_is_quicker_than_a_jobs_event_empties_no_log(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    world.jobs.fail(world.job, CRASHED, log="the end")
    world.jobs.pending = lambda name: world.jobs.pods[name]  # as it was a moment ago
    once_after(world.storage, "write", world.watch)
    assert world.job_changed(world.job) is None
    assert world.record.status.build.reason == "BuildNotScheduled"
    ((log, _),) = [kept for uri, kept in world.storage.objects.items() if "/logs/" in uri]
    assert log == b"the end"


def test_a_request_that_comes_while_the_last_look_is_written_wins(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    once_after(world.jobs, "pending", lambda: world.start(**NEWER))
    assert world.watch() is None
    assert world.record.status.phase is Phase.BUILDING


def test_the_job_of_a_build_that_failed_before_it_started_goes_once_that_is_told(world):
    world.jobs.wait(world.job, NO_NODE)
    reply = world.watch()
    assert world.jobs.get(world.job) is not None
    for _ in range(2):
        world.tell(reply)
        assert world.jobs.get(world.job) is None


def test_an_attempt_that_none_can_better_is_told_at_once_and_once(world):
    world.jobs.fail_for_good(world.job, OUT_OF_MEMORY)
    event = world.event()
    reply = world.job_changed(world.job, event)
    assert (reply.data.reason, reply.data.retryable) == ("BuildOutOfMemory", False)
    assert world.job_changed(world.job, event) == reply
    assert world.job_changed(world.job) is None
    world.tell(reply)
    assert world.jobs.get(world.job) is None


def test_the_job_of_a_build_that_is_over_stays_readable(world):
    world.jobs.fail(world.job, CRASHED)
    world.tell(world.job_changed(world.job))
    assert world.jobs.get(world.job) is not None


def test_the_job_of_a_newer_request_for_the_same_source_stays(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    reply = world.watch()
    again = world.start(env=[{"name": "A", "value": "1"}])
    assert again.data.job == world.job
    world.tell(reply)
    assert world.jobs.get(world.job) is not None


def test_a_failure_of_a_lambda_that_is_gone_is_nothing(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    reply = world.watch()
    world.records.delete(world.record)
    world.tell(reply)
    assert world.jobs.get(world.job) is not None


def test_the_same_source_builds_after_a_build_that_could_not_start(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    world.tell(world.watch())
    job = world.start().data.job
    world.finish(job)
    assert world.job_changed(job).type == FUNCTION_READY


def test_a_request_that_is_delivered_again_after_its_failure_leaves_no_job(world):
    world.jobs.wait(world.job, NO_NODE, is_lasting=True)
    event = world.event()
    reply = world.watch(event)
    world.tell(reply)
    stamp = world.record.stamp
    world.start(world.event(id=stamp.event_id, time=stamp.time))
    assert world.watch(event) == reply
    world.tell(reply)
    assert world.jobs.get(world.job) is None
