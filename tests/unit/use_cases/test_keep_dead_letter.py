from __future__ import annotations

import json

import pytest

from knative_lambda.domain.dead_letter import DeadLetter
from knative_lambda.domain.errors import RejectedByPlatformError, StorageUnavailableError
from knative_lambda.use_cases.keep_dead_letter import KeepDeadLetter
from tests.helpers.control_plane import STORAGE
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.fakes_platform import FixedClock

LETTER = DeadLetter(
    id="1",
    source="/s",
    type="t",
    headers={},
    body=b"hello",
    is_cut=False,
    destination="http://hello.shop.svc",
    status="500",
    error="",
)


class RefusingStorage(InMemoryObjectStorage):
    """A bucket that is not there."""

    def write(self, uri, source):
        raise RejectedByPlatformError("there is no such bucket")


def keep(storage):
    return KeepDeadLetter(storage=storage, clock=FixedClock(), storage_url=STORAGE)


def test_a_letter_is_one_object_in_the_folder_of_its_namespace():
    storage = InMemoryObjectStorage()
    uri = keep(storage)(LETTER)
    assert uri.startswith(f"{STORAGE}dead-letters/shop/")
    assert json.loads(storage.objects[uri][0])["body"] == "hello"


def test_a_letter_that_comes_twice_is_kept_once():
    storage = InMemoryObjectStorage()
    assert keep(storage)(LETTER) == keep(storage)(LETTER)
    assert len(storage.objects) == 1


def test_a_letter_waits_while_storage_refuses_it():
    with pytest.raises(StorageUnavailableError, match="no such bucket"):
        keep(RefusingStorage())(LETTER)
