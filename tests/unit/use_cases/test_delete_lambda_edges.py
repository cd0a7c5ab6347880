from datetime import timedelta

import pytest

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import BUILD_STARTED, BUILD_SUPERSEDED
from tests.control_plane import HELLO, ControlPlane


@pytest.mark.parametrize("time", [None, timedelta(minutes=6), timedelta(days=9999)])
def test_a_deletion_without_a_time_or_from_the_future_is_refused(time):
    world = ControlPlane()
    world.deploy()
    moment = None if time is None else world.clock.now() + time
    with pytest.raises(InvalidEventError) as refused:
        world.delete_lambda(world.event(time=moment), HELLO)
    assert refused.value.field == "time"
    assert world.record is not None


def test_an_older_deletion_does_not_replace_the_note_of_a_newer_one():
    world = ControlPlane()
    older, between, newer = world.event(), world.event(), world.event()
    world.delete_lambda(newer, HELLO)
    world.delete_lambda(older, HELLO)
    assert world.start(between).type == BUILD_SUPERSEDED


@pytest.mark.parametrize("id_", ["\N{GRINNING FACE}" * 2048, '"' * 2048, "\\" * 2048])
def test_a_deletion_with_the_longest_id_can_be_read_again(id_):
    world = ControlPlane()
    world.delete_lambda(world.event(id=id_), HELLO)
    assert world.start().type == BUILD_STARTED


def test_a_tag_that_is_gone_before_it_is_looked_up_is_deleted_already():
    world = ControlPlane()
    world.deploy()
    world.registry.find = lambda repository, tag: None
    world.delete_lambda(world.event(), HELLO)
    assert world.record is None
