from datetime import timedelta

import pytest

from knative_lambda.domain.build import image_tag
from knative_lambda.domain.errors import RejectedByPlatformError
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import DIGEST, HELLO, IMAGE_PREFIX, REGISTRY, ControlPlane, asking

REPOSITORY = f"{REGISTRY}/{HELLO}"


@pytest.fixture
def world():
    return ControlPlane()


def collect(world, *, dry_run=False):
    return world.clean_up(dry_run=dry_run).data


def deploy_and_replace(world):
    """The next pass would collect the first build's image: its source is gone."""
    first = world.start().data.job
    world.finish(first)
    world.job_changed(first)
    job = world.start(source=asking("other")).data.job
    world.finish(job, "sha256:" + "1" * 64)
    world.job_changed(job)
    world.clock.advance(timedelta(hours=25))
    collect(world)


def test_a_build_that_ended_just_now_is_not_given_up(world):
    job = world.start().data.job
    world.clock.advance(timedelta(minutes=11))
    world.finish(job)
    assert collect(world).stuck_builds == 0
    assert world.record.status.phase is Phase.BUILDING


def test_a_build_that_ended_long_ago_unseen_is_given_up(world):
    world.finish(world.start().data.job)
    world.clock.advance(timedelta(minutes=11))
    assert collect(world).stuck_builds == 1


def test_a_lambda_whose_image_was_there_and_was_never_deployed_has_no_service(world):
    world.deploy()
    data = world.start(env=[{"name": "A", "value": "1"}]).data
    world.clock.advance(timedelta(minutes=11))
    assert collect(world).stuck_builds == 1
    assert world.record.status.build.id == data.build_id
    conditions = {c.type: (c.status, c.reason) for c in world.record.status.conditions}
    assert conditions["BuildReady"] == ("True", "")
    assert conditions["ServiceReady"] == ("False", "BuildLost")


def test_an_image_with_a_wanted_tag_beside_an_old_one_stays(world):
    world.deploy()
    world.services.delete(HELLO)  # so that no revision uses it
    world.registry.push(REPOSITORY, image_tag("0" * 64), DIGEST)
    before = world.registry.list_tags(REPOSITORY)
    assert collect(world).images == 0
    assert world.registry.list_tags(REPOSITORY) == before


def test_an_image_that_a_build_makes_again_while_cleanup_looks_stays(world):
    deploy_and_replace(world)
    job = world.start(source=asking("as the first, differently")).data.job
    list_tags = world.registry.list_tags

    def list_tags_then_end(repository):
        tags = list_tags(repository)
        world.finish(job)
        return tags

    world.registry.list_tags = list_tags_then_end
    collect(world)
    assert DIGEST in world.registry.images[REPOSITORY].values()


def test_an_old_image_that_is_about_to_be_deployed_again_stays(world):
    deploy_and_replace(world)
    world.start(source={"image": f"{IMAGE_PREFIX}/{HELLO}@{DIGEST}"})
    assert collect(world).images == 0


def test_a_tag_that_vanishes_meanwhile_is_passed_over(world):
    world.deploy()
    world.registry.list_tags = lambda repository: ["gone"]
    assert collect(world).images == 0


def test_objects_that_are_none_of_ours_stay(world):
    for key in ("contexts/readme", "logs/a/b", "contexts/a/b/c/d"):
        world.put_source(f"s3://own/{key}", b"x")
    assert collect(world).contexts == 0


def test_a_context_of_a_build_that_runs_stays_however_old(world):
    first = world.start().data.build_id
    world.start(source=asking("newer"))
    world.clock.advance(timedelta(hours=25))
    collect(world)
    assert any(first in uri for uri in world.storage.objects)


def test_a_dry_run_removes_nothing_at_all(world):
    world.deploy()
    world.jobs.delete(world.start(source=asking("lost")).data.job)
    world.registry.push(REPOSITORY, "old", "sha256:" + "1" * 64)
    world.put_source("s3://own/contexts/default/gone/" + "0" * 64, b"x")
    world.clock.advance(timedelta(hours=25))
    before = (dict(world.storage.objects), world.record, list(world.jobs.list()))
    data = collect(world, dry_run=True)
    assert min(data.jobs, data.contexts, data.images, data.stuck_builds) >= 1
    assert (dict(world.storage.objects), world.record, list(world.jobs.list())) == before
    assert "old" in world.registry.list_tags(REPOSITORY)


def test_a_record_that_cannot_be_read_keeps_its_jobs(world):
    world.start()
    world.records.list = lambda: iter(())

    def unreadable(function):
        raise RejectedByPlatformError("cannot be read")

    world.records.get = unreadable
    assert collect(world).jobs == 0


@pytest.mark.parametrize("answer", [None, RejectedByPlatformError("cannot be read")], ids=repr)
def test_an_image_of_a_record_that_changes_while_cleanup_looks_stays(world, answer):
    deploy_and_replace(world)
    list_tags = world.registry.list_tags

    def list_tags_then_change(repository):
        tags = list_tags(repository)
        changed = world.record.status.model_copy(update={"url": "http://elsewhere"})
        world.records.replace_status(world.record.model_copy(update={"status": changed}))
        if answer is not None:
            world.records.get = unreadable
        return tags

    def unreadable(function):
        raise answer

    world.registry.list_tags = list_tags_then_change
    assert collect(world).images == 0
    assert DIGEST in world.registry.images[REPOSITORY].values()


def test_images_that_are_nobodys_are_in_nobodys_way(world):
    deploy_and_replace(world)
    world.services.other_images += [f"busybox@{DIGEST}", f"{HELLO}@{DIGEST}", DIGEST]
    assert collect(world).images == 1


def test_an_image_that_an_old_revision_uses_stays_by_whatever_name_it_has(world):
    deploy_and_replace(world)
    world.services.other_images.append(f"mirror.example:5000/any/prefix/{HELLO}@{DIGEST}")
    assert collect(world).images == 0


def test_a_record_without_a_build_has_nothing_to_keep_or_to_give_up(world):
    world.start()
    job = world.record.status.build.job
    nothing = world.record.status.model_copy(update={"build": None})
    world.records.replace_status(world.record.model_copy(update={"status": nothing}))
    world.jobs.delete(job)
    world.clock.advance(timedelta(hours=25))
    assert collect(world).stuck_builds == 0


def test_a_build_that_is_settled_while_cleanup_looks_is_not_given_up(world):
    job = world.start().data.job
    world.clock.advance(timedelta(minutes=11))
    world.finish(job)
    world.clock.advance(timedelta(minutes=11))
    listed = list(world.records.list())
    world.job_changed(job)
    world.records.list = lambda: iter(listed)
    collect(world)
    assert world.record.status.phase is Phase.READY
