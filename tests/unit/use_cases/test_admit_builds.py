"""Builds that wait for others: who is released, when, with what, and who is told what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure, JobState
from knative_lambda.domain.build_queue import BuildLimits
from knative_lambda.domain.errors import NotReadyError, UnreadableRecordError
from knative_lambda.domain.events import BUILD_FAILED, BUILD_STARTED, BuildCancel
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.cancel_build import CancelBuild
from tests.helpers.control_plane import HELLO, STORAGE, WITH_PACKAGES, ControlPlane
from tests.unit.use_cases.helpers.interleaving import once_after

ONE = BuildLimits(in_all=1, per_tenant=1)


@pytest.fixture
def world():
    return ControlPlane(limits=ONE)


def ask(world, name="hello", namespace="default", **files):
    """Ask for a build; return the name of its Job."""
    function = FunctionId(namespace, name)
    source = {"inline": WITH_PACKAGES | {f"{key}.py": value for key, value in files.items()}}
    return world.start(function=function, source=source).data.job


def end(world, job):
    """Let a build end, and deliver build.packaged to build-start."""
    world.leave(job)
    return world.admit_builds()


def state(world, job):
    found = world.jobs.get(job)
    return None if found is None else found.state


def told(world, name="hello", namespace="default"):
    record = world.records.get(FunctionId(namespace, name))
    (said,) = [each for each in record.status.conditions if each.type == "BuildReady"]
    return said.status, said.reason, said.message


def test_a_build_over_the_limit_waits_and_its_record_says_its_place(world):
    first, second, third = (ask(world, name) for name in ("a", "b", "c"))
    assert [state(world, job) for job in (first, second, third)] == [
        JobState.RUNNING, JobState.WAITING, JobState.WAITING,
    ]  # fmt: skip
    assert told(world, "a") == ("Unknown", "", "")
    assert told(world, "b") == ("Unknown", "Queued", "1st of 2 waiting builds")
    assert told(world, "c") == ("Unknown", "Queued", "2nd of 2 waiting builds")
    assert world.records.get(FunctionId("default", "c")).status.phase is Phase.BUILDING


def test_when_a_build_ends_the_next_one_is_released_and_the_others_move_up(world):
    first, second, _ = (ask(world, name) for name in ("a", "b", "c"))
    reply = end(world, first)
    assert (reply.type, reply.data.job, str(reply.function)) == (
        BUILD_STARTED, second, "default/b",
    )  # fmt: skip
    assert state(world, second) is JobState.RUNNING
    assert told(world, "b") == ("Unknown", "", "")
    assert told(world, "c") == ("Unknown", "Queued", "1st of 1 waiting build")


def test_a_build_gets_its_urls_when_it_is_released_since_they_expire(world):
    first, second = ask(world, "a"), ask(world, "b")
    assert world.queue.opened == {}
    end(world, first)
    access = world.queue.opened[second]
    build_id = world.jobs.jobs[second].build_id
    for kind, url in (("contexts", access.context_url), ("packages", access.upload.url)):
        assert f"{STORAGE}{kind}/default/b/{build_id}".replace(":", "%3A") in url
    assert str(access.function) == "default/b"


def test_no_tenant_starves_another():
    world = ControlPlane(limits=BuildLimits(in_all=2, per_tenant=2))
    running = [ask(world, f"a{number}", "busy") for number in range(5)]
    patient = ask(world, "b", "patient")
    end(world, running[0])
    assert state(world, patient) is JobState.RUNNING


def test_a_tenant_at_its_limit_does_not_hold_up_others():
    world = ControlPlane(limits=BuildLimits(in_all=9, per_tenant=1))
    ask(world, "a", "busy")
    assert state(world, ask(world, "b", "busy")) is JobState.WAITING
    assert state(world, ask(world, "c", "other")) is JobState.RUNNING


def test_a_build_that_nobody_wants_any_more_is_removed_instead_of_released(world):
    first, second, third = (ask(world, name) for name in ("a", "b", "c"))
    world.records.delete(world.records.get(FunctionId("default", "b")))
    end(world, first)
    assert state(world, second) is None
    assert state(world, third) is JobState.RUNNING


def test_a_newer_request_takes_the_place_of_an_older_one_that_waits(world):
    ask(world, "a")
    older, other = ask(world, x="1"), ask(world, "b")
    newer = ask(world, x="2")
    assert state(world, older) is None
    assert state(world, newer) is JobState.WAITING
    assert told(world, "b")[2] == "1st of 2 waiting builds"
    assert state(world, other) is JobState.WAITING


def test_a_newer_request_does_not_wait_for_an_older_one_of_the_same_lambda(world):
    older = ask(world, x="1")
    newer = ask(world, x="2")
    assert state(world, older) is None
    assert state(world, newer) is JobState.RUNNING


def test_where_there_is_room_an_older_build_of_the_same_lambda_goes_on():
    world = ControlPlane(limits=BuildLimits(in_all=2, per_tenant=2))
    older = ask(world, x="1")
    ask(world, x="2")
    assert state(world, older) is JobState.RUNNING


def test_a_build_that_waits_while_its_source_needs_nothing_any_more_is_removed(world):
    first, waiting = ask(world, "a"), ask(world)
    world.start(source={"inline": {"main.py": ""}})
    end(world, first)
    assert state(world, waiting) is None


def test_a_request_that_is_being_accepted_neither_loses_its_build_nor_holds_up_the_others(world):
    first, second, third = ask(world, "a"), ask(world), ask(world, "c")
    stamp = world.record.stamp.model_copy(update={"event_id": "newer"})
    world.records.replace_request(world.record.model_copy(update={"stamp": stamp}))
    end(world, first)
    assert state(world, second) is JobState.WAITING
    assert state(world, third) is JobState.RUNNING


def test_an_equal_request_takes_over_a_build_that_waits(world):
    ask(world, "a")
    job = ask(world)
    assert ask(world) == job
    assert world.jobs.jobs[job].request_id == world.record.stamp.key
    assert state(world, job) is JobState.WAITING


def test_a_redelivery_of_a_request_whose_build_waits_replies_the_same(world):
    ask(world, "a")
    event = world.event()
    assert repr(world.start(event)) == repr(world.start(event))
    assert len(world.jobs.started) == 2


def test_a_build_that_is_changed_at_the_last_moment_is_looked_at_again(world):
    first, second = ask(world, "a"), ask(world, "b")
    world.leave(first)

    def take_over():
        world.jobs.jobs[second] = replace(world.jobs.jobs[second], request_id="newer")

    once_after(world.records, "get", take_over)
    world.admit_builds()
    assert state(world, second) is JobState.RUNNING


def test_two_passes_at_once_release_a_build_once_and_no_other(world):
    first, second, third = (ask(world, name) for name in ("a", "b", "c"))
    world.leave(first)
    once_after(world.jobs, "list", world.admit_builds)
    assert world.admit_builds() is None
    assert state(world, second) is JobState.RUNNING
    assert state(world, third) is JobState.WAITING


def test_room_that_came_while_a_request_was_queued_is_used_at_once(world):
    first = ask(world, "a")
    once_after(world.jobs, "start", lambda: world.leave(first))
    second = ask(world, "b")
    assert state(world, second) is JobState.RUNNING


def test_a_new_one_is_told_its_place_and_then_only_the_first_ones_by_each_pass(world):
    jobs = [ask(world, f"a{number:02}") for number in range(20)]
    before = {name: told(world, name) for name in ("a12", "a19")}
    assert before["a19"][2] == "19th of 19 waiting builds"
    end(world, jobs[0])
    assert told(world, "a02")[2] == "1st of 18 waiting builds"
    assert {name: told(world, name) for name in before} == before
    world.admit_builds(places=100)
    assert told(world, "a19")[2] == "18th of 18 waiting builds"


def test_places_count_what_was_released_in_the_same_pass():
    world = ControlPlane(limits=BuildLimits(in_all=2, per_tenant=2))
    first = ask(world, "a", "one")
    ask(world, "b", "two")
    for name in ("c", "d"):
        ask(world, name, "one")
    ask(world, "e", "two")
    end(world, first)
    assert told(world, "e", "two")[2] == "2nd of 2 waiting builds"
    assert told(world, "d", "one")[2] == "1st of 2 waiting builds"


def test_a_pass_that_changes_nothing_writes_nothing(world):
    for name in ("a", "b", "c"):
        ask(world, name)
    before = world.records.get(FunctionId("default", "c")).resource_version
    assert world.admit_builds() is None
    assert world.records.get(FunctionId("default", "c")).resource_version == before


def test_a_build_that_waits_is_neither_stuck_nor_followed(world):
    ask(world, "a")
    job = ask(world)
    for _ in range(10):
        world.clock.advance(world.clean_up.retention.stuck_after)
        world.clean_up(dry_run=False)
    assert state(world, job) is JobState.WAITING
    assert world.record.status.phase is Phase.BUILDING
    assert world.job_changed(job) is None


def test_a_build_that_waits_can_be_cancelled(world):
    ask(world, "a")
    job = ask(world)
    cancel = CancelBuild(jobs=world.jobs, outcome=world.complete_build.record_outcome)
    reply = cancel(world.event(), HELLO, BuildCancel())
    assert (reply.type, reply.data.reason) == (BUILD_FAILED, "Cancelled")
    world.admit_builds(places=100)
    assert state(world, job) is None


def test_room_is_waited_for_where_a_build_that_failed_is_still_being_removed(world):
    first, second = ask(world, "a"), ask(world, "b")
    world.meanwhile = lambda: world.jobs.delete(first)
    assert world.admit_builds.after_failure(first).data.job == second


def test_what_is_not_removed_in_time_is_left_to_the_next_pass(world):
    first, second = ask(world, "a"), ask(world, "b")
    began = world.clock.now()
    assert world.admit_builds.after_failure(first) is None
    assert timedelta(seconds=4) < world.clock.now() - began < timedelta(seconds=6)
    assert state(world, second) is JobState.WAITING


def test_what_opens_the_objects_of_a_build_goes_when_it_ends(world):
    """Its Job stays for an hour."""
    good, bad, runs = (ask(world, name) for name in ("a", "b", "c"))
    world.leave(good)
    assert world.admit_builds.after(good).data.job == bad
    world.jobs.fail(bad, BuildFailure(reason="No", message="no", is_users=True))
    assert world.admit_builds.after_failure(bad).data.job == runs
    world.admit_builds.after_failure(runs)
    assert world.jobs.closed == {good, bad}


def test_the_next_build_is_released_once_it_is_known_that_this_one_has_ended(world):
    first, second = ask(world, "a"), ask(world, "b")
    world.meanwhile = lambda: world.leave(first)
    assert world.admit_builds.after(first).data.job == second
    assert world.jobs.closed == {first}


def test_of_a_build_that_goes_on_nothing_is_taken_and_its_place_is_not_given_away(world):
    first, second = ask(world, "a"), ask(world, "b")
    with pytest.raises(NotReadyError):
        world.admit_builds.after(first)
    assert not world.jobs.closed
    assert state(world, second) is JobState.WAITING


def test_nobody_waits_for_a_build_that_failed_where_no_other_waits(world):
    first, began = ask(world, "a"), world.clock.now()
    assert world.admit_builds.after_failure(first) is None
    assert world.clock.now() == began


def test_a_record_that_cannot_be_read_keeps_its_build_and_holds_up_nobody(world):
    first, second, third = (ask(world, name) for name in ("a", "b", "c"))
    world.leave(first)
    read = world.records.get

    def get(function):
        if function.name == "b":
            raise UnreadableRecordError("spec.source: is missing")
        return read(function)

    world.records.get = get
    world.admit_builds()
    assert state(world, second) is JobState.WAITING
    assert state(world, third) is JobState.RUNNING


def test_builds_of_a_tenant_that_cannot_be_released_do_not_starve_another_tenant(world):
    first = ask(world, "a")
    stuck = [ask(world, f"b{number}", "busy") for number in range(30)]
    patient = ask(world, "c", "patient")
    world.leave(first)
    read = world.records.get

    def get(function):
        if function.namespace == "busy":
            raise UnreadableRecordError("spec.source: is missing")
        return read(function)

    world.records.get = get
    world.admit_builds()
    assert state(world, patient) is JobState.RUNNING
    assert {state(world, job) for job in stuck} == {JobState.WAITING}


def test_builds_of_a_tenant_that_nobody_wants_any_more_do_not_starve_another_tenant(world):
    first = ask(world, "a")
    for number in range(30):
        ask(world, f"b{number}", "busy")
    patient = ask(world, "c", "patient")
    world.leave(first)
    for record in list(world.records.list()):
        if record.id.namespace == "busy":
            world.records.delete(record)
    world.admit_builds()
    assert state(world, patient) is JobState.RUNNING


def test_a_build_that_nobody_wants_is_removed_before_its_turn_where_places_are_told(world):
    ask(world, "a")
    waiting = ask(world)
    world.start(source={"inline": {"main.py": ""}})
    world.admit_builds()
    assert state(world, waiting) is None


def test_a_pass_ends_though_a_build_changes_all_the_time(world):
    first, second = ask(world, "a"), ask(world, "b")
    world.leave(first)
    world.queue.release = lambda build, access: False
    assert world.admit_builds() is None
    assert state(world, second) is JobState.WAITING


def test_a_build_that_a_request_supersedes_at_the_last_moment_is_not_released(world):
    first, second = ask(world, "a"), ask(world)
    world.leave(first)

    def accept_another():
        stamp = world.record.stamp.model_copy(update={"event_id": "newer"})
        world.records.replace_request(world.record.model_copy(update={"stamp": stamp}))

    once_after(world.records, "get", accept_another)
    assert world.admit_builds() is None
    assert state(world, second) is JobState.WAITING
