from knative_lambda.domain.events import BUILD_SUPERSEDED, FUNCTION_DELETED
from tests.helpers.control_plane import HELLO, ControlPlane


def test_nothing_of_a_deleted_lambda_is_left():
    world = ControlPlane()
    world.deploy()
    reply = world.delete_lambda(world.event(), HELLO)
    assert reply.type == FUNCTION_DELETED
    assert world.record is None
    assert not world.services.deployments
    assert not list(world.jobs.list())
    assert not any(world.registry.images.values())
    assert list(world.storage.objects) == ["s3://own/deleted/default/hello"]


def test_an_unknown_lambda_is_deleted_as_often_as_asked():
    world = ControlPlane()
    for _ in range(2):
        assert world.delete_lambda(world.event(), HELLO).type == FUNCTION_DELETED


def test_a_deletion_older_than_the_newest_request_is_not_carried_out():
    world = ControlPlane()
    late = world.event()
    world.deploy()
    assert world.delete_lambda(late, HELLO).type == BUILD_SUPERSEDED
    assert world.record is not None


def test_a_deletion_in_the_middle_of_a_build_leaves_no_orphan():
    world = ControlPlane()
    job = world.start().data.job
    world.delete_lambda(world.event(), HELLO)
    assert world.jobs.get(job) is None
    assert world.job_changed(job) is None
    assert not world.services.deployments


def test_a_deletion_that_was_killed_half_way_is_finished_by_its_redelivery():
    world = ControlPlane()
    world.deploy()
    event = world.event()
    world.services.delete(HELLO)
    world.records.delete(world.record)
    world.delete_lambda(event, HELLO)
    assert not list(world.jobs.list())


def test_a_record_that_cannot_be_read_is_deleted_with_what_it_owns():
    world = ControlPlane()
    world.deploy()
    world.records.records.clear()
    world.records.unreadable.add(HELLO)
    assert world.delete_lambda(world.event(), HELLO).type == FUNCTION_DELETED
    assert not world.records.unreadable
    assert not world.services.deployments


def test_a_record_that_cannot_be_read_is_replaced_by_the_next_request():
    world = ControlPlane()
    world.records.unreadable.add(HELLO)
    world.deploy()
    assert world.record.status.phase == "Ready"
