import dataclasses
import io
from datetime import timedelta

import pytest

from knative_lambda.adapters.storage.file import FileStorage
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import BUILD_STARTED, BUILD_SUPERSEDED, FUNCTION_DELETED
from knative_lambda.use_cases import delete_lambda
from tests.helpers.control_plane import HELLO, STORAGE, ControlPlane


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


def test_a_deletion_ends_however_many_objects_there_are_and_cleanup_takes_the_rest(monkeypatch):
    monkeypatch.setattr(delete_lambda, "_OBJECTS_AT_ONCE", 3)
    monkeypatch.setattr(delete_lambda, "_LIST_LIMIT", 5)
    world = ControlPlane()
    world.deploy()
    for number in range(9):
        for kind in ("contexts", "logs"):
            uri = f"{STORAGE}{kind}/{HELLO}/{number}"
            world.storage.write(uri, io.BytesIO(b""))
    assert world.delete_lambda(world.event(), HELLO).type == FUNCTION_DELETED
    assert world.record is None
    left = [uri for uri in world.storage.objects if "/deleted/" not in uri]
    assert len(left) == 19 - 2 * 3
    world.clock.advance(timedelta(hours=25))
    world.clean_up(dry_run=False)
    assert not world.storage.objects


def test_a_deletion_ends_where_a_folder_has_more_than_can_be_listed(monkeypatch, tmp_path):
    monkeypatch.setattr(delete_lambda, "_LIST_LIMIT", 1)
    world = ControlPlane()
    storage = FileStorage(roots=[tmp_path])
    use_case = dataclasses.replace(
        world.delete_lambda, storage=storage, storage_url=f"file://{tmp_path}/"
    )
    for number in range(3):
        storage.write(f"file://{tmp_path}/contexts/{HELLO}/{number}", io.BytesIO(b""))
    assert use_case(world.event(), HELLO).type == FUNCTION_DELETED
