"""Threads that wait for their next call keep nothing of the last one."""

from __future__ import annotations

import asyncio
import weakref

from lambda_runtime.threads import HandlerThreads


class Large:
    """What weighs much."""


async def test_a_waiting_thread_keeps_neither_argument_nor_result():
    loop = asyncio.get_running_loop()
    forgotten = asyncio.Semaphore(0)

    def watched():
        large = Large()
        weakref.finalize(large, loop.call_soon_threadsafe, forgotten.release)
        return large

    threads = HandlerThreads(lambda _argument: watched(), size=1)
    await threads.run(watched(), timeout_seconds=10)
    async with asyncio.timeout(10):
        await forgotten.acquire()
        await forgotten.acquire()
