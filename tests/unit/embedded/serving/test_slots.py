from __future__ import annotations

import asyncio

import pytest

from lambda_embedded.serving.pool.slots import RevisionRetiredError, Slots, TooManyRequestsError


class Process:
    def __init__(self) -> None:
        self.under_way = 0


class Told(list):
    """What the slots have called."""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def make(told):
    def slots(concurrency=2, target=2, held_limit=3) -> Slots:
        return Slots(
            concurrency=concurrency,
            target=target,
            held_limit=held_limit,
            on_short=lambda: told.append("short"),
            on_idle=lambda: told.append("idle"),
        )

    return slots


async def holding(slots: Slots) -> asyncio.Task:
    """Start to wait, and come as far as that."""
    task = asyncio.ensure_future(slots.hold())
    await asyncio.sleep(0)
    return task


async def test_requests_are_spread_over_processes_up_to_their_concurrency(make):
    slots, one, two = make(), Process(), Process()
    slots.add(one)
    slots.add(two)
    assert [slots.take() for _ in range(5)] == [one, two, one, two, None]


async def test_who_waits_longest_is_served_first_and_nobody_overtakes(make):
    slots, process = make(concurrency=1), Process()
    slots.add(process)
    slots.take()
    first, second = await holding(slots), await holding(slots)
    slots.release(process)
    assert slots.take() is None
    assert await first is process
    assert not second.done()
    slots.release(process)
    assert await second is process


async def test_a_process_that_gets_ready_takes_as_many_as_it_may(make):
    slots, process = make(concurrency=2), Process()
    waiting = [await holding(slots) for _ in range(3)]
    slots.add(process)
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, True, False]
    waiting[2].cancel()


async def test_a_cancelled_wait_takes_no_slot(make, told):
    slots, process = make(concurrency=1), Process()
    given_up = await holding(slots)
    stays = await holding(slots)
    given_up.cancel()
    slots.add(process)
    assert await stays is process
    slots.release(process)
    assert slots.is_idle


async def test_a_slot_given_at_the_moment_of_cancelling_is_given_back(make):
    slots, process = make(concurrency=1), Process()
    task = await holding(slots)
    slots.add(process)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slots.is_idle
    assert slots.take() is process


async def test_more_may_not_wait_than_the_limit(make):
    slots = make(held_limit=1)
    task = await holding(slots)
    with pytest.raises(TooManyRequestsError):
        await slots.hold()
    task.cancel()


async def test_everyone_who_waits_is_sent_away_at_once(make):
    slots = make()
    tasks = [await holding(slots) for _ in range(2)]
    slots.reject_held(RevisionRetiredError())
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [RevisionRetiredError] * 2


async def test_unlimited_processes_ask_for_help_above_their_target(make, told):
    slots = make(concurrency=0, target=2)
    slots.add(Process())
    for _ in range(2):
        slots.take()
    assert told == []
    slots.take()
    assert told == ["short"]


async def test_the_last_release_is_told_and_the_peak_is_remembered(make, told):
    slots, process = make(), Process()
    slots.add(process)
    slots.take()
    slots.take()
    slots.release(process)
    assert told == []
    slots.release(process)
    assert told == ["idle"]
    assert slots.peak == 2
