"""What happens when something else happens in between."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.errors import ConflictError, NotReadyError, RetryableError
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_STARTED,
    BUILD_SUPERSEDED,
    FUNCTION_DELETED,
    FUNCTION_READY,
)
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import HELLO, ControlPlane, asking
from tests.unit.use_cases.helpers.interleaving import once_after, once_before

LOST_NODE = BuildFailure(reason="BuildCrashed", message="node lost", is_users=False)


def deliver_until_settled(start, event, spec):
    """As a Broker does: again while the answer says that it may work later."""
    while True:
        try:
            return start(event, **spec)
        except RetryableError:
            continue


def test_twenty_deliveries_at_once_of_one_request_are_one_job_and_one_reply():
    world = ControlPlane()
    event, barrier = world.event(), threading.Barrier(20)

    def deliver(_):
        barrier.wait()
        return deliver_until_settled(world.start, event, {})

    with ThreadPoolExecutor(20) as threads:
        replies = {repr(reply) for reply in threads.map(deliver, range(20))}
    assert len(replies) == 1
    assert len(world.jobs.started) == 1


def test_of_twenty_different_requests_at_once_the_newest_wins():
    world = ControlPlane()
    events, barrier = [world.event() for _ in range(20)], threading.Barrier(20)

    def deliver(number):
        barrier.wait()
        spec = {"source": asking(str(number))}
        return deliver_until_settled(world.start, events[number], spec)

    with ThreadPoolExecutor(20) as threads:
        replies = list(threads.map(deliver, range(20)))
    newest = replies[19]
    assert newest.type == BUILD_STARTED
    assert world.record.spec.source.inline == asking("19")["inline"]
    assert world.record.status.build.id == newest.data.build_id
    for reply in replies:
        assert reply.type in {BUILD_STARTED, BUILD_SUPERSEDED}


def test_of_twenty_requests_at_once_that_replace_the_same_one_exactly_one_is_accepted():
    world = ControlPlane()
    first = world.event()
    world.start(first)
    events, barrier = [world.event() for _ in range(20)], threading.Barrier(20)

    def deliver(event):
        barrier.wait()
        spec = {"replaces": first.id, "env": [{"name": "BY", "value": event.id}]}
        return deliver_until_settled(world.start, event, spec)

    with ThreadPoolExecutor(20) as threads:
        replies = list(threads.map(deliver, events))
    assert [reply.type for reply in replies].count(BUILD_STARTED) == 1
    assert [reply.type for reply in replies].count(BUILD_SUPERSEDED) == 19
    (variable,) = world.record.spec.env
    assert variable.value == world.record.stamp.event_id


def test_twenty_requests_at_once_for_the_same_source_share_a_job():
    world = ControlPlane()
    events, barrier = [world.event() for _ in range(20)], threading.Barrier(20)

    def deliver(event):
        barrier.wait()
        return deliver_until_settled(world.start, event, {})

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(deliver, events))
    assert len(world.jobs.started) == 1
    assert world.record.stamp.event_id == events[19].id


def test_a_request_that_is_overtaken_while_its_job_starts_is_superseded():
    world = ControlPlane()
    newer = {"source": asking("newer")}
    once_after(world.jobs, "start", lambda: world.start(**newer))
    assert world.start().type == BUILD_SUPERSEDED
    assert world.record.spec.source.inline == asking("newer")["inline"]


def test_a_request_whose_lambda_is_deleted_while_its_job_starts_leaves_no_job():
    world = ControlPlane()
    once_after(world.jobs, "start", lambda: world.records.delete(world.record))
    assert world.start().type == BUILD_SUPERSEDED
    assert not list(world.jobs.list())


def test_a_finished_image_whose_lambda_is_deleted_meanwhile_is_superseded():
    world = ControlPlane()
    world.deploy()
    once_after(world.registry, "find", lambda: world.records.delete(world.record))
    assert world.start(handler="main.other").type == BUILD_SUPERSEDED


def test_a_request_for_a_record_that_was_made_again_meanwhile_is_superseded():
    world = ControlPlane()

    def delete_and_make_again():
        world.delete_lambda(world.event(), HELLO)
        world.start(source=asking("newer"))

    once_after(world.jobs, "start", delete_and_make_again)
    assert world.start().type == BUILD_SUPERSEDED
    assert world.record.spec.source.inline == asking("newer")["inline"]


def test_a_record_that_somebody_made_first_is_read_again():
    world = ControlPlane()
    once_before(world.records, "create", world.start)
    late = world.event()
    assert world.start(late).type in {BUILD_STARTED, BUILD_SUPERSEDED}


def test_a_record_that_changes_without_end_is_tried_again_later():
    world = ControlPlane()
    world.start()

    def conflict(_):
        raise ConflictError("changed")

    world.records.replace_request = conflict
    with pytest.raises(ConflictError, match="changes too fast"):
        world.start()


def test_a_status_that_changes_without_end_is_tried_again_later():
    world = ControlPlane()

    def conflict(_):
        raise ConflictError("changed")

    world.records.replace_status = conflict
    with pytest.raises(ConflictError, match="changes too fast"):
        world.start()


def test_a_job_of_an_earlier_request_that_is_still_going_is_waited_for():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.fail(job, LOST_NODE)
    world.jobs.delete = lambda name: None  # Kubernetes takes its time
    with pytest.raises(NotReadyError, match="is being removed"):
        world.start()


def test_a_sender_that_uses_an_id_twice_gets_both_requests():
    world = ControlPlane()
    world.deploy()
    world.start(world.event(id="1"), env=[{"name": "A", "value": "1"}])
    reply = world.start(world.event(id="1"), env=[{"name": "A", "value": "2"}])
    assert reply.type == BUILD_COMPLETE
    ready = world.complete_build.image_found(world.event(), HELLO, reply.data)
    assert ready.type == FUNCTION_READY
    assert world.services.deployments[HELLO].spec.env[0].value == "2"


def test_an_older_request_with_the_same_id_is_superseded():
    world = ControlPlane()
    old, new = world.event(id="1"), world.event(id="1")
    world.start(new, source=asking("new"))
    reply = world.start(old, source=asking("old"))
    assert reply.type == BUILD_SUPERSEDED
    assert len(world.jobs.started) == 1


def test_a_request_again_with_the_same_id_builds_again_after_a_failure():
    world = ControlPlane()
    world.jobs.fail(world.start(world.event(id="1")).data.job, LOST_NODE)
    world.start(world.event(id="1"))
    assert len(world.jobs.started) == 2


def test_a_deletion_between_a_request_and_its_record_wins():
    world = ControlPlane()
    late = world.event()
    deletion = world.event()
    once_before(world.records, "create", lambda: world.delete_lambda(deletion, HELLO))
    assert world.start(late).type == BUILD_SUPERSEDED
    assert world.record is None


def test_a_newer_request_that_is_quicker_than_a_deletion_wins():
    world = ControlPlane()
    world.deploy()
    deletion = world.event()
    newer = {"source": asking("newer")}
    once_before(world.records, "replace_status", lambda: world.start(**newer))
    reply = world.delete_lambda(deletion, HELLO)
    assert reply.type == BUILD_SUPERSEDED
    assert world.record.status.phase is Phase.BUILDING
    assert world.services.deployments


def test_a_record_that_goes_while_it_is_deleted_is_deleted():
    world = ControlPlane()
    world.deploy()
    once_before(world.records, "replace_status", lambda: world.records.delete(world.record))
    assert world.delete_lambda(world.event(), HELLO).type == FUNCTION_DELETED


def test_the_end_of_a_build_is_not_told_when_a_newer_request_came_meanwhile():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    newer = {"source": asking("newer")}
    once_before(world.services, "state", lambda: world.start(**newer))
    assert world.job_changed(job) is None
    assert world.record.status.phase is Phase.BUILDING


def test_a_failure_is_not_told_when_a_newer_request_came_meanwhile():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.fail(job, LOST_NODE, log="the end")
    newer = {"source": asking("newer")}
    once_before(world.storage, "write", lambda: world.start(**newer))
    assert world.job_changed(job) is None


def test_a_build_of_a_lambda_that_is_being_deleted_is_let_go():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    deleting = world.record.status.model_copy(update={"phase": Phase.DELETING})
    world.records.replace_status(world.record.model_copy(update={"status": deleting}))
    assert world.job_changed(job) is None
    assert not world.services.deployments


def test_a_service_that_is_newer_already_is_left_alone():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.services.apply = lambda deployment: False
    assert world.job_changed(job) is None
    assert world.record.status.phase is Phase.BUILDING
