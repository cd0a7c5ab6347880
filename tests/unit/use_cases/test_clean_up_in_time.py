"""A pass of cleanup that cannot do all in its time: each part and each lambda has its turn."""

from datetime import timedelta

import pytest

from knative_lambda.domain.names import FunctionId
from tests.helpers.control_plane import REGISTRY, STORAGE, ControlPlane, asking

LIMIT = timedelta(seconds=100)
TICK = timedelta(minutes=10)
LAMBDAS = [FunctionId("shop", f"lambda-{number}") for number in range(7)]
OLD = ("contexts/gone/a/1", "logs/gone/a/1.log", "deleted/gone/b", "dead-letters/gone/1.json")


def slow(world, port, method, seconds):
    """Let each call take its time."""
    quick = getattr(port, method)

    def call(*arguments, **options):
        world.clock.advance(timedelta(seconds=seconds))
        return quick(*arguments, **options)

    setattr(port, method, call)


def repository(function):
    return f"{REGISTRY}/{function}"


@pytest.fixture
def world():
    """Garbage in every place, seven lambdas, and a registry that answers slowly."""
    world = ControlPlane()
    for function in LAMBDAS:
        world.start(function=function)
        world.registry.push(repository(function), "old", "sha256:" + "1" * 64)
    for job in list(world.jobs.list()):
        world.finish(job.name)
        world.job_changed(job.name)
    for key in OLD:
        world.put_source(STORAGE + key, b"x")
    world.clock.advance(timedelta(days=15))
    slow(world, world.registry, "list_tags", 60)
    return world


def passes(world, times, *, every=TICK):
    """Ticks of the schedule; yields what each pass answered."""
    for _ in range(times):
        began = world.clock.now()
        yield world.clean_up(dry_run=False).data
        assert world.clock.now() - began <= LIMIT + timedelta(seconds=60)  # one step over at most
        world.clock.time = began + every


def old_images(world):
    return [each for each in LAMBDAS if "old" in world.registry.images[repository(each)]]


def test_a_pass_ends_in_time_and_says_that_it_has_not_finished(world):
    (data,) = passes(world, 1)
    assert not data.finished
    assert old_images(world)


def test_a_pass_that_had_time_for_everything_says_so():
    world = ControlPlane()
    world.deploy()
    assert world.clean_up(dry_run=False).data.finished
    assert world.clean_up(dry_run=True).data.finished


@pytest.mark.parametrize("every", [TICK, timedelta(minutes=30), timedelta(days=1)])
def test_every_part_has_its_turn_though_one_alone_takes_all_the_time(world, every):
    slow(world, world.registry, "list_tags", 100)  # two lambdas are more than a pass can look at
    list(passes(world, 7, every=every))
    left = [key for key in OLD if STORAGE + key in world.storage.objects]
    assert left == []


def test_every_lambda_has_its_turn_though_no_pass_comes_to_all(world):
    list(passes(world, 30))
    assert old_images(world) == []
    assert not any(data.finished for data in passes(world, 5))


def test_nothing_goes_before_it_is_known_what_runs(world):
    """The build that runs is the last one listed."""
    world.start(source=asking("runs"))
    world.clock.advance(timedelta(days=15))
    slow(world, world.jobs, "delete", 30)
    before = dict(world.storage.objects)
    (data,) = passes(world, 1)
    assert (data.finished, data.jobs) == (False, 4)
    assert world.storage.objects == before
    assert len(old_images(world)) == len(LAMBDAS)


def test_images_of_a_lambda_that_is_gone_are_found_though_its_traces_are_looked_at_first():
    world, gone = ControlPlane(), FunctionId("shop", "gone")
    for kind in ("contexts/shop/gone/1", "deleted/shop/gone"):
        for turn in range(5):
            world.put_source(STORAGE + kind, b"x")
            world.registry.push(repository(gone), f"build-{turn}", f"sha256:{turn:064x}")
            world.clock.advance(timedelta(days=2) + TICK)
            assert world.clean_up(dry_run=True).data.images == 1
            assert world.clean_up(dry_run=False).data.images == 1
            assert not world.storage.objects
