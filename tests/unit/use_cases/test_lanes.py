"""Which lane a build takes: what has to be installed decides, and nothing else."""

import io
import tarfile
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_FAILED,
    BUILD_PACKAGED,
    BUILD_STARTED,
    FUNCTION_READY,
)
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.packages import PackageIndex, PackageIndexes
from tests.helpers.control_plane import CODE, HELLO, STORAGE, WITH_PACKAGES, ControlPlane, asking

CHANGED = WITH_PACKAGES | {"main.py": "def handler(event): 2"}
WEEK = timedelta(days=7)


@pytest.fixture
def world():
    world = ControlPlane()
    world.images.digest = None
    return world


def request_of(world):
    """The files that the newest Job gets."""
    order = world.jobs.started[-1]
    stored, _ = world.storage.objects[f"{STORAGE}contexts/{HELLO}/{order.build_id}"]
    with tarfile.open(fileobj=io.BytesIO(stored)) as tar:
        return {each.name: tar.extractfile(each).read().decode() for each in tar}


def test_a_source_that_asks_for_nothing_needs_no_job(world):
    reply = world.start(source={"inline": CODE})
    assert reply.type == BUILD_PACKAGED
    assert world.record.status.phase is Phase.BUILDING
    assert world.go_on(reply).type == FUNCTION_READY
    assert not world.jobs.started


@pytest.mark.parametrize("text", ["", "# flask\n", "\n\n"])
def test_a_file_that_could_ask_and_does_not_is_no_request(world, text):
    assert world.start(source={"inline": CODE | {"requirements.txt": text}}).type == BUILD_PACKAGED


@pytest.mark.parametrize("text", ["flask", "#\rflask", "#\u2028flask", "\ufeffflask"])
def test_a_file_that_asks_in_any_line_is_one(world, text):
    assert world.start(source={"inline": CODE | {"requirements.txt": text}}).type == BUILD_STARTED


def test_a_file_of_that_name_in_a_folder_asks_for_nothing(world):
    source = {"inline": CODE | {"old/requirements.txt": "flask"}}
    assert world.start(source=source).type == BUILD_PACKAGED


def test_a_job_gets_the_files_that_ask_and_none_of_the_code(world):
    files = CODE | {
        "requirements.txt": "-r more/a.txt\nflask\n",
        "more/a.txt": "-r b.txt\n-r ../../outside.txt\n-r gone.txt\n",
        "more/b.txt": "-r a.txt\nhttpx\n",
        "more/c.txt": "not asked for",
    }
    world.start(source={"inline": files})
    assert request_of(world).keys() == {"requirements.txt", "more/a.txt", "more/b.txt"}


def test_a_change_of_code_alone_takes_the_packages_that_are_kept(world):
    world.deploy()
    reply = world.start(source={"inline": CHANGED})
    assert reply.type == BUILD_PACKAGED
    assert world.go_on(reply).type == FUNCTION_READY
    assert len(world.jobs.started) == 1
    assert [order.packages_tag for order in world.images.made] == 2 * [world.images.kept[0]]


def test_a_change_of_what_is_asked_for_is_installed(world):
    world.deploy()
    assert world.start(source=asking("more")).type == BUILD_STARTED


def test_another_policy_takes_no_packages_of_before(world):
    world.deploy()
    world.change_policy(policy="stricter")
    assert world.start().type == BUILD_STARTED


def test_packages_come_from_the_index_of_their_language_and_stay_when_another_changes(world):
    world.deploy()
    common = PackageIndex()
    other = {"other": PackageIndex(url="http://other/")}
    world.change_policy(indexes=PackageIndexes(common=common, own=other))
    assert world.start().type == BUILD_COMPLETE
    own = {"python": PackageIndex(url="http://own/", credentials="{}")}
    world.change_policy(indexes=PackageIndexes(common=common, own=own))
    started = world.start()
    assert started.type == BUILD_STARTED
    assert world.go_on(started).type == FUNCTION_READY
    own = {"python": PackageIndex(url="http://own/")}
    world.change_policy(indexes=PackageIndexes(common=PackageIndex(url="http://common/"), own=own))
    assert world.start().type == BUILD_COMPLETE
    world.change_policy(indexes=PackageIndexes(common=PackageIndex(url="http://own/")))
    assert world.start().type == BUILD_COMPLETE


def test_a_refresh_installs_again_and_the_next_request_takes_what_it_installed(world):
    world.deploy()
    refreshed = world.start(refresh=True)
    assert refreshed.type == BUILD_STARTED
    assert world.go_on(refreshed).type == FUNCTION_READY
    first, second = world.images.kept
    assert first != second
    world.deploy(source={"inline": CHANGED})
    assert world.images.made[-1].packages_tag == second
    assert len(world.jobs.started) == 2


def test_a_refresh_that_fails_leaves_the_packages_of_before(world):
    world.deploy()
    job = world.start(refresh=True).data.job
    broken = BuildFailure(reason="RequirementNotFound", message="gone", is_users=True)
    world.jobs.fail(job, broken)
    assert world.job_changed(job).type == BUILD_FAILED
    assert world.start(source={"inline": CHANGED}).type == BUILD_PACKAGED


def test_a_redelivered_refresh_is_the_same_build(world):
    world.deploy()
    event = world.event()
    replies = {repr(world.start(event, refresh=True)) for _ in range(3)}
    assert len(replies) == 1
    assert len(world.jobs.started) == 2


def test_packages_age_and_are_installed_again_though_nothing_changed(world):
    world.deploy()
    world.clock.advance(WEEK - timedelta(minutes=1))
    assert world.start().type == BUILD_COMPLETE
    world.clock.advance(timedelta(minutes=1))
    reply = world.start()
    assert reply.type == BUILD_STARTED
    world.go_on(reply)
    assert world.start().type == BUILD_COMPLETE  # they are young again


def test_a_new_request_for_packages_of_the_same_age_does_not_make_them_younger(world):
    world.deploy()
    resolved_at = world.record.status.packages.resolved_at
    world.clock.advance(timedelta(days=5))
    world.deploy(source={"inline": CHANGED})
    assert world.record.status.packages.resolved_at == resolved_at


def test_packages_that_are_taken_again_after_others_are_as_old_as_they_were(world):
    world.deploy()
    first = world.record.status.packages
    world.clock.advance(timedelta(days=5))
    world.deploy(source=asking("others"))
    world.deploy(source={"inline": CHANGED})
    again = world.record.status.packages
    assert again.key == first.key
    assert abs(again.resolved_at - first.resolved_at) < timedelta(minutes=1)
    world.deploy(source=asking("others"))
    assert world.start().type == BUILD_COMPLETE  # the image of before, on packages of before
    world.clock.advance(timedelta(days=3))
    assert world.start().type == BUILD_STARTED


def test_packages_that_became_too_old_beside_others_are_installed_again(world):
    world.deploy()
    world.clock.advance(timedelta(days=6))
    world.deploy(source=asking("others"))
    world.clock.advance(timedelta(days=2))
    assert world.start(source={"inline": CHANGED}).type == BUILD_STARTED


def test_packages_that_are_taken_again_after_others_are_named_by_hashes_as_before(world):
    reply = world.start()
    world.leave(reply.data.job, pinned=True)
    world.go_on(reply)
    world.deploy(source=asking("others"))
    world.clock.advance(52 * WEEK)
    world.deploy(source={"inline": CHANGED})
    assert len(world.jobs.started) == 2
    assert world.record.status.packages.pinned


def test_packages_of_a_job_that_another_request_takes_over_are_named_by_hashes_as_well(world):
    world.leave(world.start().data.job, pinned=True)
    world.go_on(world.start())
    assert world.record.status.packages.pinned


def test_packages_that_hashes_name_never_age(world):
    reply = world.start()
    world.leave(reply.data.job, pinned=True)
    world.go_on(reply)
    assert world.record.status.packages.pinned
    world.clock.advance(52 * WEEK)
    assert world.start(source={"inline": CHANGED}).type == BUILD_PACKAGED


def test_a_language_whose_recipe_reads_everything_gets_everything(world):
    world.ask_for_everything()
    world.start(source={"inline": CODE})
    assert request_of(world) == CODE


def test_an_archive_that_cannot_be_read_is_a_failed_build_of_its_author(world):
    world.put_source("s3://sources/default/code.zip", b"not even a zip")
    reply = world.start(source={"uri": "s3://sources/default/code.zip"})
    assert reply.type == BUILD_COMPLETE
    assert (reply.data.failure.reason, reply.data.failure.is_users) == ("InvalidArchive", True)
    failed = world.complete(reply)
    assert failed.type == BUILD_FAILED
    assert (failed.data.reason, failed.data.retryable) == ("InvalidArchive", False)
    assert world.record.status.phase is Phase.FAILED


def test_a_redelivery_repeats_what_was_said_of_an_unreadable_archive(world):
    world.put_source("s3://sources/default/code.zip", b"not even a zip")
    event, source = world.event(), {"uri": "s3://sources/default/code.zip"}
    assert world.start(event, source=source) == world.start(event, source=source)


def test_a_redelivery_after_the_source_changed_is_still_the_same_build(world):
    world.put_source("s3://sources/default/a.py", b"1")
    event, source = world.event(), {"uri": "s3://sources/default/a.py"}
    first = world.start(event, source=source)
    world.put_source("s3://sources/default/a.py", b"2")
    assert world.start(event, source=source) == first


def test_a_request_for_what_a_job_has_just_installed_needs_no_second_job(world):
    """Its publish has only begun: twenty requests for one source are one Job."""
    job = world.start().data.job
    world.leave(job)
    assert world.start().type == BUILD_PACKAGED
    assert len(world.jobs.started) == 1


def test_a_request_for_what_a_job_has_installed_and_nobody_has_any_more_is_a_new_job(world):
    job = world.start().data.job
    world.jobs.succeed(job)
    assert world.start().type == BUILD_STARTED
    assert len(world.jobs.started) == 2
