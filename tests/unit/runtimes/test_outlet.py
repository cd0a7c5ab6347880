"""A thread gives its answer away no faster than the caller takes it."""

from __future__ import annotations

import asyncio

import pytest
from lambda_runtime.errors import ResponseClosedError
from lambda_runtime.outlet import Outlet


class Caller:
    """Takes one message at a time, when it is told to; leaves when it is told to."""

    def __init__(self):
        self.taken = asyncio.Queue()
        self.room = asyncio.Semaphore(0)
        self.left = asyncio.Event()
        self.asked = asyncio.Event()

    async def send(self, message):
        self.asked.set()
        await self.room.acquire()
        self.taken.put_nowait(message)

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
async def caller():
    return Caller()


def three_items(outlet, made):
    for number in range(3):
        made.append(number)
        outlet.send(number)


async def test_the_next_item_is_made_when_there_is_room_for_it(caller):
    outlet, made = Outlet(caller.receive, caller.send), []
    async with outlet.opened():
        thread = asyncio.create_task(asyncio.to_thread(three_items, outlet, made))
        await caller.asked.wait()
        assert made == [0]
        for number in range(3):
            caller.room.release()
            assert await caller.taken.get() == number
            assert len(made) <= number + 2
        await thread


async def test_a_thread_is_told_that_the_caller_left(caller):
    outlet, made = Outlet(caller.receive, caller.send), []
    async with outlet.opened():
        thread = asyncio.create_task(asyncio.to_thread(three_items, outlet, made))
        await caller.asked.wait()
        caller.left.set()
        with pytest.raises(ResponseClosedError):
            await thread
    assert made == [0]


async def test_a_thread_is_told_that_the_call_is_over(caller):
    outlet, made = Outlet(caller.receive, caller.send), []
    async with outlet.opened():
        thread = asyncio.create_task(asyncio.to_thread(three_items, outlet, made))
        await caller.asked.wait()
    with pytest.raises(ResponseClosedError):
        await thread
    assert made == [0]


async def test_nothing_goes_out_after_the_end_of_the_call(caller):
    outlet = Outlet(caller.receive, caller.send)
    async with outlet.opened():
        pass
    await asyncio.to_thread(outlet.finish, "late")
    with pytest.raises(ResponseClosedError):
        await asyncio.to_thread(outlet.send, "late")
    assert not caller.asked.is_set()


async def test_the_call_ends_with_its_last_message(caller):
    outlet = Outlet(caller.receive, caller.send)
    caller.room.release()
    async with outlet.opened():
        await asyncio.to_thread(outlet.finish, "last")
    assert caller.taken.get_nowait() == "last"


async def test_an_error_of_sending_is_the_threads(caller):
    async def refuse(_message):
        raise RuntimeError("longer than its content-length")

    outlet = Outlet(caller.receive, refuse)
    async with outlet.opened():
        with pytest.raises(RuntimeError, match="longer"):
            await asyncio.to_thread(outlet.send, "item")


async def test_an_error_of_the_last_message_is_the_calls(caller):
    async def refuse(_message):
        raise RuntimeError("longer than its content-length")

    outlet = Outlet(caller.receive, refuse)
    with pytest.raises(RuntimeError, match="longer"):
        async with outlet.opened():
            await asyncio.to_thread(outlet.finish, "last")
