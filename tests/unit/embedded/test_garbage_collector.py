from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from lambda_embedded.api.deletion import request_deletion
from lambda_embedded.api.garbage_collector import GarbageCollector
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects


@pytest.fixture
def objects(tmp_path):
    database = Database(tmp_path / "state.sqlite")
    yield Objects(database)
    database.close()


class World:
    """Objects, and a collector that can be started and stopped."""

    def __init__(self, objects):
        self.objects = objects
        self.now = datetime.now(UTC)

    def create(self, kind, name, *owners, namespace="default", **fields):
        references = [
            {
                "apiVersion": owner.get("apiVersion", "v1"),
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
            }
            for owner in owners
        ]
        metadata = {"name": name, **fields.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        if references:
            metadata["ownerReferences"] = references
        return self.objects.create(kind, {"kind": kind, **fields, "metadata": metadata})

    def names(self, kind):
        return [item["metadata"]["name"] for item in self.objects.list(kind)]

    @contextlib.asynccontextmanager
    async def collecting(self):
        task = asyncio.create_task(GarbageCollector(self.objects, now=lambda: self.now).run())
        await self.settle()
        yield
        await self.settle()
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def settle(self):
        for _ in range(60):
            await asyncio.sleep(0)


@pytest.fixture
def world(objects):
    return World(objects)


async def test_dependents_go_with_their_owner_down_to_the_last(world):
    job = world.create("Job", "job", apiVersion="batch/v1")
    pod = world.create("Pod", "pod", job)
    world.create("ConfigMap", "settings", pod)
    async with world.collecting():
        world.objects.delete("Job", "default", "job")
    assert world.names("Pod") == world.names("ConfigMap") == []


async def test_a_dependent_stays_while_one_owner_is_there(world):
    first, second = world.create("Pod", "first"), world.create("Pod", "second")
    world.create("ConfigMap", "settings", first, second)
    async with world.collecting():
        world.objects.delete("Pod", "default", "first")
        await world.settle()
        assert world.names("ConfigMap") == ["settings"]
        world.objects.delete("Pod", "default", "second")
    assert world.names("ConfigMap") == []


async def test_an_owner_of_the_same_name_but_another_uid_is_no_owner(world):
    world.create("ConfigMap", "settings", world.create("Pod", "pod"))
    world.objects.delete("Pod", "default", "pod")
    world.create("Pod", "pod")
    async with world.collecting():
        pass
    assert world.names("ConfigMap") == []


async def test_orphans_of_the_time_it_was_not_running_go_at_start(world):
    world.create("ConfigMap", "settings", world.create("Pod", "pod"))
    world.objects.delete("Pod", "default", "pod")
    async with world.collecting():
        pass
    assert world.names("ConfigMap") == []


async def test_a_dependent_made_after_its_owner_went_goes_too(world):
    pod = world.create("Pod", "pod")
    async with world.collecting():
        world.objects.delete("Pod", "default", "pod")
        await world.settle()
        world.create("ConfigMap", "late", pod)
    assert world.names("ConfigMap") == []


async def test_owners_of_kinds_that_are_not_served_are_taken_as_there(world):
    foreign = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x", "uid": "1"}}
    core_service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "uid": "2"}}
    world.create("ConfigMap", "settings", foreign)
    world.create("Secret", "secret", core_service)
    async with world.collecting():
        pass
    assert world.names("ConfigMap") == ["settings"]
    assert world.names("Secret") == ["secret"]


def _finished(at, condition="Complete"):
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"conditions": [{"type": condition, "status": "True", "lastTransitionTime": time}]}


@pytest.mark.parametrize("condition", ["Complete", "Failed"])
async def test_a_finished_job_goes_after_its_time_with_its_pods(world, condition):
    ended = world.now - timedelta(seconds=90)
    job = world.create(
        "Job", "old", apiVersion="batch/v1",
        spec={"ttlSecondsAfterFinished": 60}, status=_finished(ended, condition),
    )  # fmt: skip
    world.create("Pod", "pod", job)
    world.create("Job", "young", spec={"ttlSecondsAfterFinished": 600}, status=_finished(ended))
    world.create("Job", "kept", spec={}, status=_finished(ended))
    world.create("Job", "running", spec={"ttlSecondsAfterFinished": 0}, status={})
    async with world.collecting():
        pass
    assert world.names("Job") == ["kept", "running", "young"]
    assert world.names("Pod") == []


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": 5},
        {"conditions": ["Complete"]},
        {"conditions": [{"type": "Complete", "status": "True"}]},
        {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": 5}]},
    ],
)
async def test_a_status_that_makes_no_sense_finishes_no_job(world, status):
    world.create("Job", "job", spec={"ttlSecondsAfterFinished": 10**30}, status=status)
    world.create("Job", "other", spec={"ttlSecondsAfterFinished": 0}, status=status)
    async with world.collecting():
        pass
    assert world.names("Job") == ["job", "other"]


async def test_a_job_without_time_to_live_goes_as_it_finishes(world):
    world.create("Job", "job", spec={"ttlSecondsAfterFinished": 0})
    async with world.collecting():
        world.objects.update_status("Job", "default", "job", _finished(world.now))
    assert world.names("Job") == []


async def test_events_are_kept_for_an_hour(world):
    for name, minutes in (("old", 61), ("young", 59)):
        time = (world.now - timedelta(minutes=minutes)).isoformat()
        world.create("Event", name, lastTimestamp=time)
    async with world.collecting():
        pass
    assert world.names("Event") == ["young"]


async def test_an_event_that_happens_again_is_kept_for_another_hour(world):
    event = world.create("Event", "event", lastTimestamp=world.now.isoformat())
    async with world.collecting():
        again = world.now + timedelta(minutes=59)
        world.objects.update("Event", {**event, "lastTimestamp": again.isoformat()})
        await world.settle()
        world.now = again + timedelta(minutes=59)
        world.create("ConfigMap", "a-change-to-follow")
    assert world.names("Event") == ["event"]


async def test_a_namespace_goes_after_all_that_is_in_it(world):
    world.create("Namespace", "tenant", namespace="")
    for number in range(45):
        world.create("ConfigMap", f"m{number}", namespace="tenant")
    world.create("ConfigMap", "other")
    world.create("Pod", "held", namespace="tenant", metadata={"finalizers": ["x/y"]})
    async with world.collecting():
        request_deletion(world.objects, "Namespace", "", "tenant")
        await world.settle()
        assert world.names("ConfigMap") == ["other"]
        assert world.names("Namespace") == ["tenant"]
        pod = world.objects.get("Pod", "tenant", "held")
        assert pod["metadata"].pop("finalizers")
        world.objects.update("Pod", pod)
    assert world.names("Namespace") == world.names("Pod") == []


async def test_a_namespace_that_was_ending_ends_after_a_restart(world):
    world.create("Namespace", "tenant", namespace="")
    world.create("ConfigMap", "settings", namespace="tenant")
    request_deletion(world.objects, "Namespace", "", "tenant")
    async with world.collecting():
        pass
    assert world.names("Namespace") == world.names("ConfigMap") == []
