from __future__ import annotations

import asyncio

import pytest

from lambda_embedded.background import Background, PlatformFailedError


async def breaks() -> None:
    raise OSError("disk full")


async def ends() -> None:
    await asyncio.sleep(0)


async def works(stopped: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        stopped.append("stopped")


@pytest.mark.parametrize(("part", "said"), [(breaks, "disk full"), (ends, "Broker")])
async def test_a_part_that_ends_by_itself_is_a_failure_with_its_name(part, said: str):
    background = Background()
    async with background.running("Broker", part()):
        with pytest.raises(PlatformFailedError, match=said):
            await background.failure()


async def test_waiting_for_a_part_that_breaks_first_never_hangs():
    background = Background()
    async with background.running("Broker", breaks()):
        with pytest.raises(PlatformFailedError, match="disk full"):
            await background.until(asyncio.Event())


async def test_the_end_of_the_block_is_no_failure():
    background, stopped = Background(), []
    started = asyncio.Event()
    started.set()
    async with background.running("Broker", works(stopped)):
        await background.until(started)
        await asyncio.sleep(0)
    assert stopped == ["stopped"]
    failure = asyncio.ensure_future(background.failure())
    await asyncio.sleep(0)
    assert not failure.done()
    failure.cancel()
