from datetime import timedelta

from knative_lambda.domain.build import image_tag, packages_tag
from knative_lambda.domain.events import BUILD_STARTED, BuildStart
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from tests.helpers.control_plane import (
    HELLO,
    REGISTRY,
    STORAGE,
    WITH_PACKAGES,
    ControlPlane,
    asking,
)
from tests.unit.use_cases.helpers.interleaving import once_before

REPOSITORY = f"{REGISTRY}/{HELLO}"


def collect(world: ControlPlane, *, dry_run: bool = False):
    return world.clean_up(dry_run=dry_run).data


def test_a_fresh_world_has_nothing_to_collect():
    world = ControlPlane()
    world.deploy()
    data = collect(world)
    assert (data.jobs, data.contexts, data.images, data.stuck_builds) == (0, 0, 0, 0)


def test_a_job_long_over_is_removed():
    world = ControlPlane()
    world.deploy()
    world.clock.advance(timedelta(hours=2))
    assert collect(world).jobs == 1
    assert not list(world.jobs.list())


def test_a_job_without_its_lambda_is_removed():
    world = ControlPlane()
    world.start()
    world.records.delete(world.record)
    assert collect(world).jobs == 1


def test_a_dry_run_counts_and_removes_nothing():
    world = ControlPlane()
    world.start()
    world.records.delete(world.record)
    assert collect(world, dry_run=True).jobs == 1
    assert list(world.jobs.list())


def test_a_build_whose_job_vanished_is_said_to_have_failed():
    world = ControlPlane()
    world.jobs.delete(world.start().data.job)
    world.clock.advance(timedelta(minutes=11))
    assert collect(world).stuck_builds == 1
    assert world.record.status.phase is Phase.FAILED
    assert world.record.status.build.reason == "BuildLost"
    (condition,) = [c for c in world.record.status.conditions if c.type == "BuildReady"]
    assert (condition.status, condition.reason) == ("False", "BuildLost")
    assert condition.message == world.record.status.build.message


def test_an_end_that_nobody_dealt_with_is_told_again():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.clock.advance(timedelta(minutes=2))
    assert collect(world).notified_jobs == 1
    assert world.jobs.notified == [job]
    world.job_changed(job)
    assert collect(world).notified_jobs == 0


def test_an_end_of_this_moment_is_left_to_its_own_event():
    world = ControlPlane()
    world.finish(world.start().data.job)
    assert collect(world).notified_jobs == 0


def test_a_lost_build_is_told_although_another_lambda_builds_the_same_source():
    world = ControlPlane()
    reply = world.start()
    world.jobs.delete(reply.data.job)
    world.clock.advance(timedelta(minutes=15))
    other = FunctionId("default", "other")
    data = BuildStart.model_validate({"source": {"inline": WITH_PACKAGES}, "runtime": "python3.11"})
    assert world.start_build(world.event(), other, data).data.build_id == reply.data.build_id
    assert collect(world).stuck_builds == 1
    assert world.record.status.phase is Phase.FAILED


def test_a_build_that_still_runs_is_not_stuck():
    world = ControlPlane()
    world.start()
    world.clock.advance(timedelta(hours=9))
    assert collect(world).stuck_builds == 0


def test_what_old_builds_were_made_of_goes_and_what_the_current_one_is_made_of_stays():
    world = ControlPlane()
    world.deploy()
    world.deploy(source=asking("two"))
    world.clock.advance(timedelta(hours=25))
    collected = collect(world)
    assert (collected.sources, collected.contexts, collected.packages) == (1, 1, 1)
    said = world.record.status.build
    assert set(world.storage.objects) == {
        f"{STORAGE}sources/{HELLO}/{said.id}",
        f"{STORAGE}contexts/{HELLO}/{said.id}",
        f"{STORAGE}kept/{HELLO}/{said.packages_key}",
    }


def test_packages_go_when_no_image_of_the_record_is_made_with_them():
    world = ControlPlane()
    world.deploy()
    world.images.digest = None
    world.deploy(source=asking("two"))
    assert collect(world).images == 0  # somebody may go back to them
    world.clock.advance(timedelta(hours=25))
    collect(world)
    collect(world)
    kept = packages_tag(world.record.status.packages.key)
    assert [tag for tag in world.registry.list_tags(REPOSITORY) if "packages" in tag] == [kept]


def test_packages_that_are_being_collected_are_installed_again():
    world = ControlPlane()
    world.images.digest = None
    world.deploy()
    world.deploy(source=asking("two"))
    world.clock.advance(timedelta(hours=25))
    collect(world)
    replies = []
    once_before(world.registry, "delete", lambda: replies.append(world.start_or_later()))
    collect(world)
    assert replies == [None]
    assert world.start().type == BUILD_STARTED


def test_what_a_job_leaves_of_a_build_that_was_superseded_goes():
    world = ControlPlane()
    job = world.start().data.job
    world.start(source=asking("newer"))
    world.leave(job)
    assert world.job_changed(job) is None
    world.clock.advance(timedelta(hours=25))
    assert collect(world).packages == 1


def test_tombstones_go_when_no_delivery_can_be_under_way():
    world = ControlPlane()
    world.delete_lambda(world.event(), HELLO)
    world.clock.advance(timedelta(hours=25))
    assert collect(world).tombstones == 1
    assert not world.storage.objects


def test_dead_letters_go_when_their_time_is_over():
    world = ControlPlane()
    world.put_source(f"{STORAGE}dead-letters/shop/1.json", b"{}")
    world.clock.advance(timedelta(days=13))
    assert collect(world).dead_letters == 0
    world.clock.advance(timedelta(days=2))
    assert collect(world).dead_letters == 1
    assert not world.storage.objects


def test_an_image_nobody_uses_goes_after_its_context():
    world = ControlPlane()
    first = world.start().data
    world.finish(first.job, "sha256:" + "1" * 64)
    world.job_changed(first.job)
    world.deploy(source=asking("two"))
    world.clock.advance(timedelta(hours=25))
    collect(world)
    assert collect(world).images == 1
    assert image_tag(first.build_id) not in world.registry.list_tags(f"{REGISTRY}/{HELLO}")
