"""Requests that stop in their middle: whom they hold up, and for how long."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MANY = 150
HOUR = 3600.0
ONE_PROCESS = {"autoscaling.knative.dev/max-scale": "1"}
POST = "POST /team/hello/echo HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SHORT = f"{POST}Content-Length: 10\r\n\r\nfive!"
LONG = f"{POST}Content-Length: 1000000\r\n\r\n{'x' * 70_000}"
ENDLESS = f"{POST}Content-Length: 1000000000\r\n\r\nfive!"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n"


@asynccontextmanager
async def sent(
    platform, text: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which that much of a request was sent."""
    port = int(platform.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.close()


async def response_on(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    data = await reader.read()
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "half", [POST, f"{POST}Content-Le", SHORT, LONG], ids=["head", "name", "short", "long"]
)
async def test_half_sent_requests_hold_no_function_up_however_patient_we_are(start_platform, half):
    async with start_platform(body_seconds=HOUR, awaited_body_seconds=HOUR) as platform:
        platform.apply(containerConcurrency=1, annotations=ONE_PROCESS)
        await platform.ready()
        async with AsyncExitStack() as stack:
            for _ in range(MANY):
                await stack.enter_async_context(sent(platform, half))
            assert (await platform.get())[0] == 200


@pytest.mark.parametrize("half", [ENDLESS, CHUNKED], ids=["endless", "chunked"])
async def test_streams_that_stop_give_way_to_those_who_wait_all_of_them_at_once(
    start_platform, half
):
    # One after the other they would take longer than a test may.
    async with start_platform(body_seconds=HOUR, awaited_body_seconds=5.0) as platform:
        platform.apply(containerConcurrency=1, annotations=ONE_PROCESS)
        await platform.ready()
        async with AsyncExitStack() as stack:
            stopped = [await stack.enter_async_context(sent(platform, half)) for _ in range(MANY)]
            assert (await platform.get())[0] == 200
            status, body = await response_on(stopped[0][0])
            assert (status, body["reason"]) == (408, "RequestTimeout")


async def test_a_drop_now_and_then_is_as_good_as_nothing(start_platform):
    async with start_platform(body_seconds=HOUR, awaited_body_seconds=0.2) as platform:
        platform.apply(containerConcurrency=1, annotations=ONE_PROCESS)
        await platform.ready()
        async with sent(platform, CHUNKED) as (_, writer):
            await platform.seen("/echo")
            asked = asyncio.ensure_future(platform.get())
            while not asked.done():
                writer.write(b"1\r\nx\r\n")
                await asyncio.wait({asked}, timeout=0.02)
            assert asked.result()[0] == 200


@pytest.mark.parametrize(
    "half", [SHORT, LONG, ENDLESS, CHUNKED], ids=["short", "long", "endless", "chunked"]
)
async def test_a_sender_that_stops_is_given_up(start_platform, half):
    async with start_platform(body_seconds=0.1, awaited_body_seconds=0.05) as platform:
        platform.apply()
        await platform.ready()
        async with sent(platform, half) as (reader, _):
            status, body = await response_on(reader)
            assert (status, body["reason"]) == (408, "RequestTimeout")


async def test_a_sender_may_wait_for_the_response_of_a_stream_as_long_as_it_likes(start_platform):
    async with start_platform(body_seconds=1.0, awaited_body_seconds=0.2) as platform:
        platform.apply()
        await platform.ready()
        go_on = asyncio.Event()

        async def pieces():
            yield b"one"
            await go_on.wait()
            yield b"two"

        async with platform.client.post(
            f"{platform.url}/team/hello/stream", data=pieces()
        ) as response:
            first = await response.content.readany()
            await asyncio.sleep(2.5)  # far longer than a sender may stop
            go_on.set()
            assert first + await response.content.read() == b"onetwo"


async def test_a_caller_that_leaves_in_the_middle_leaves_nothing_in_memory(platform):
    platform.apply()
    await platform.ready()
    held = platform.serving.held_bytes
    before = held._left
    async with sent(platform, LONG):
        async with asyncio.timeout(20):
            while held._left == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        while held._left != before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
