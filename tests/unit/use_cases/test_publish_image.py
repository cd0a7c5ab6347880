"""publish: one image, whatever is delivered twice, too late, or dies on its way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from knative_lambda.domain.build import image_tag, packages_tag
from knative_lambda.domain.errors import RegistryUnavailableError, StorageUnavailableError
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_FAILED,
    BUILD_PACKAGED,
    FUNCTION_READY,
)
from tests.helpers.control_plane import (
    CODE,
    HELLO,
    PACKAGES_MAX_BYTES,
    REGISTRY,
    STORAGE,
    ControlPlane,
    asking,
)
from tests.helpers.fakes_publishing import HOSTILE

REPOSITORY = f"{REGISTRY}/{HELLO}"


class KilledError(Exception):
    """The process ended here."""


@pytest.fixture
def world():
    world = ControlPlane()
    world.images.digest = None
    return world


@pytest.fixture
def packaged(world):
    """The event of a build whose Job has left packages."""
    return packaged_by(world)


def packaged_by(world, content=None, **spec):
    reply = world.start(**spec)
    world.leave(reply.data.job, content)
    packaged = world.job_changed(reply.data.job)
    assert packaged.type == BUILD_PACKAGED
    return packaged


def object_uri(packaged):
    return f"{STORAGE}packages/{HELLO}/{packaged.data.build_id}"


def test_an_image_holds_the_source_and_the_packages_that_were_installed_for_it(world, packaged):
    complete = world.publish(packaged)
    said = world.record.status.build
    tags = {image_tag(said.id), packages_tag(said.packages_key)}
    assert complete.type == BUILD_COMPLETE
    assert set(world.registry.list_tags(REPOSITORY)) == tags
    assert object_uri(packaged) not in world.storage.objects


def test_a_redelivery_finds_the_image_and_makes_no_other(world, packaged):
    assert world.publish(packaged) == world.publish(packaged)
    assert len(world.images.made) == len(world.images.kept) == 1


@pytest.mark.parametrize("dies_after", [packages_tag, image_tag], ids=["packages", "image"])
def test_who_dies_between_push_and_reply_leaves_it_for_the_next(world, packaged, dies_after):
    said = world.record.status.build
    of = {packages_tag: said.packages_key, image_tag: said.id}[dies_after]

    def die(tag):
        if tag == dies_after(of):
            raise KilledError

    world.images.after_push = die
    with pytest.raises(KilledError):
        world.publish(packaged)
    world.images.after_push = lambda _: None
    assert world.publish(packaged).data.digest == world.registry.find(
        REPOSITORY, image_tag(said.id)
    )


@pytest.mark.parametrize(
    ("port", "error"),
    [("storage", StorageUnavailableError), ("registry", RegistryUnavailableError)],
)
def test_what_is_down_is_tried_again_and_nothing_is_lost(world, packaged, port, error):
    class Down:
        def __getattr__(self, name):
            raise error("down")

    publish_image = world.publish_image
    world.publish_image = replace(publish_image, **{port: Down()})
    with pytest.raises(error):
        world.publish(packaged)
    world.publish_image = publish_image
    assert world.publish(packaged).data.digest


def test_a_second_delivery_at_the_same_time_finds_what_the_first_has_kept(world, packaged):
    storage = world.storage

    class KeptMeanwhile:
        """The other delivery has the packages, and takes the object away."""

        def __getattr__(self, name):
            return getattr(storage, name)

        def read(self, uri, target, *, max_bytes):
            if uri == object_uri(packaged):
                world.publish(packaged)
            return storage.read(uri, target, max_bytes=max_bytes)

    second = replace(world.publish_image, storage=KeptMeanwhile())
    complete = second(packaged.function, packaged.data)
    assert complete.data.digest == world.publish(packaged).data.digest
    assert len(world.images.kept) == 1


def test_packages_that_an_object_written_again_would_change_are_not_looked_at(world, packaged):
    """By a build that goes on after its end."""
    digest = world.publish(packaged).data.digest
    world.put_source(object_uri(packaged), b"other packages")
    assert world.publish(packaged).data.digest == digest
    assert len(world.images.kept) == 1


def test_a_build_that_was_superseded_is_dropped(world, packaged):
    world.start(source=asking("newer"))
    assert world.publish(packaged) is None
    assert not world.images.made


def test_a_build_of_a_lambda_that_is_gone_is_dropped(world, packaged):
    world.delete_lambda(world.event(), HELLO)
    assert world.publish(packaged) is None
    assert not world.images.made


def test_a_build_that_failed_is_dropped(world, packaged):
    world.storage.delete(object_uri(packaged))
    world.complete(world.publish(packaged))
    assert world.publish(packaged) is None


def test_a_build_that_cleanup_gave_up_is_finished_by_a_late_delivery(world, packaged):
    """The Broker tries for 34 minutes, while a registry is down; cleanup waits for fewer."""
    world.clock.advance(timedelta(minutes=20))
    assert world.clean_up(dry_run=False).data.stuck_builds == 1
    assert world.record.status.build.reason == "BuildLost"
    assert world.complete(world.publish(packaged)).type == FUNCTION_READY
    assert world.record.status.build.reason is None
    assert world.record.status.build.message is None


def test_packages_that_nobody_has_are_a_failure_that_another_deployment_mends(world, packaged):
    world.storage.delete(object_uri(packaged))
    failed = world.complete(world.publish(packaged))
    assert failed.type == BUILD_FAILED
    assert (failed.data.reason, failed.data.retryable) == ("PackagesMissing", True)


def test_what_no_build_of_ours_leaves_is_the_authors_failure_and_goes(world):
    packaged = packaged_by(world, HOSTILE)
    failed = world.complete(world.publish(packaged))
    assert (failed.data.reason, failed.data.retryable) == ("UnsupportedFile", False)
    assert object_uri(packaged) not in world.storage.objects
    assert not world.registry.list_tags(REPOSITORY)


def test_too_many_packages_are_read_to_the_limit_and_removed(world, packaged):
    world.put_source(object_uri(packaged), b"x" * (PACKAGES_MAX_BYTES + 1))
    failed = world.complete(world.publish(packaged))
    assert (failed.data.reason, failed.data.retryable) == ("PackagesTooLarge", False)
    assert object_uri(packaged) not in world.storage.objects


def test_a_source_that_is_gone_is_told(world):
    packaged = world.start(source={"inline": CODE})
    world.storage.delete(f"{STORAGE}sources/{HELLO}/{packaged.data.build_id}")
    failed = world.complete(world.publish(packaged))
    assert (failed.data.reason, failed.data.retryable) == ("SourceNotFound", True)


def test_no_record_can_name_a_base_image_of_elsewhere(world, packaged):
    record = world.record
    elsewhere = f"http://elsewhere/base@sha256:{'e' * 64}"
    build = record.status.build.model_copy(update={"base_image": elsewhere})
    status = record.status.model_copy(update={"build": build})
    world.records.replace_status(record.model_copy(update={"status": status}))
    assert world.publish(packaged).data.failure.reason == "BaseImageUnknown"
    assert not world.images.made


def test_a_build_goes_on_on_the_base_image_of_the_release_before(world, packaged):
    newer = {"python3.11": f"http://registry/base/python3.11@sha256:{'c' * 64}"}
    world.publish_image = replace(world.publish_image, base_images=newer)
    assert world.publish(packaged).data.digest
