"""A deletion leaves nothing, from whatever state the lambda is in."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from tests.embedded.helpers.inventory import files, objects
from tests.helpers.http_client import post_event
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

HELLO = "def handler(event):\n    return 'hello'\n"
# The note by which a request from before the deletion is known; cleanup removes it in the end.
TOMBSTONES = "storage/knative-lambda/deleted"


def assert_same(platform: EmbeddedPlatform, before: tuple[set[str], set[str]]) -> None:
    """Wait until what is collected in the background is gone; nothing else may be left."""
    platform.await_settled()
    wait_for(lambda: objects(platform) == before[0] or not objects(platform) - before[0])
    try:
        wait_for(lambda: not left(platform, before))
    except AssertionError:
        raise AssertionError(sorted(left(platform, before))) from None


def left(platform: EmbeddedPlatform, before: tuple[set[str], set[str]]) -> set[str]:
    """Files that were not there before."""
    return files(platform, without=TOMBSTONES) - before[1]


def inventory(platform: EmbeddedPlatform) -> tuple[set[str], set[str]]:
    platform.await_settled()
    return objects(platform), files(platform, without=TOMBSTONES)


def test_a_deleted_lambda_leaves_no_object_no_file_and_no_process(
    own_platform: EmbeddedPlatform, write_function
):
    before = inventory(own_platform)
    source = write_function(HELLO)
    own_platform.deploy(source, "--name", "gone")
    assert own_platform.kn_lambda("invoke", "gone").returncode == 0

    deleted = own_platform.kn_lambda("delete", "gone")

    assert deleted.stdout == "default/gone is deleted\n"
    assert_same(own_platform, before)
    wait_for(lambda: not own_platform.processes("/runtime/server.py"))
    assert post_event(own_platform.url("gone"), {}, type="t").status == 404


def test_a_deletion_in_the_middle_of_a_build_leaves_nothing(
    own_platform: EmbeddedPlatform, write_function, gate
):
    before = inventory(own_platform)
    source = write_function(HELLO, requirements=gate.requirement)
    sent = own_platform.kn_lambda("deploy", source, "--name", "halfway", "--no-wait")
    assert sent.returncode == 0, sent.stderr
    gate.await_build()

    deleted = own_platform.kn_lambda("delete", "halfway")
    gate.open()

    assert deleted.stdout == "default/halfway is deleted\n"
    assert_same(own_platform, before)
    assert own_platform.processes("lambda_builder") == []
    assert own_platform.types("halfway")[-1] == "function.deleted.v1"


def test_a_deletion_of_an_update_in_the_middle_of_its_build_leaves_nothing(
    own_platform: EmbeddedPlatform, write_function, gate
):
    before = inventory(own_platform)
    own_platform.deploy(write_function(HELLO), "--name", "halfway")
    source = write_function(HELLO, requirements=gate.requirement)
    own_platform.kn_lambda("deploy", source, "--name", "halfway", "--no-wait")
    gate.await_build()

    own_platform.kn_lambda("delete", "halfway")

    assert_same(own_platform, before)
    assert own_platform.processes("lambda_builder") == []


def test_a_deletion_at_once_after_the_request_leaves_nothing(own_platform: EmbeddedPlatform):
    before = inventory(own_platform)
    own_platform.send_build_start("brief", {"main.py": HELLO})
    own_platform.send_delete("brief")
    own_platform.await_settled()
    wait_for(lambda: objects(own_platform) <= before[0])
    # An image that was being pushed meanwhile, and nothing else, is left to the next cleanup.
    image = "registry/default/brief/"
    wait_for(lambda: all(file.startswith(image) for file in left(own_platform, before)))
    assert own_platform.send_cleanup().status == HTTPStatus.ACCEPTED

    assert_same(own_platform, before)
    assert own_platform.record("brief") is None


def test_an_image_that_is_pushed_after_the_deletion_is_removed_by_the_next_cleanup(
    own_platform: EmbeddedPlatform, write_function
):
    before = inventory(own_platform)
    own_platform.deploy(write_function(HELLO), "--name", "late")
    repository = own_platform.home / "registry" / "default" / "late"
    pushed = own_platform.home / "pushed"
    shutil.copytree(repository, pushed)
    assert own_platform.kn_lambda("delete", "late").returncode == 0
    wait_for(lambda: not repository.exists())
    pushed.rename(repository)

    assert own_platform.send_cleanup().status == HTTPStatus.ACCEPTED

    assert_same(own_platform, before)


def test_an_unknown_lambda_is_deleted_twice_without_complaint(own_platform: EmbeddedPlatform):
    before = inventory(own_platform)
    for _ in range(2):
        assert own_platform.send_delete("never-there").status == 202
    assert_same(own_platform, before)

    types = own_platform.types("never-there")
    assert types.count("function.deleted.v1") == 2
    assert own_platform.dead_letters() == []
    assert own_platform.kn_lambda("delete", "never-there").stdout == (
        "default/never-there did not exist\n"
    )


def test_a_request_from_before_the_deletion_does_not_bring_it_back(
    platform: EmbeddedPlatform, unique_name: str
):
    earlier = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    platform.send_build_start(unique_name, {"main.py": HELLO})
    platform.await_phase(unique_name, "Ready")
    platform.send_delete(unique_name)
    wait_for(lambda: platform.record(unique_name) is None)

    platform.send_build_start(unique_name, {"main.py": HELLO}, time=earlier)
    platform.await_settled()

    assert platform.types(unique_name)[-1] == "build.superseded.v1"
    assert platform.record(unique_name) is None


def test_a_deleted_lambda_can_be_deployed_again(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    source = write_function(HELLO)
    for _ in range(2):
        platform.deploy(source, "--name", unique_name)
        assert platform.kn_lambda("invoke", unique_name).stdout == '"hello"\n'
        assert platform.kn_lambda("delete", unique_name).returncode == 0
