"""`kill -9` at any moment: what was accepted is delivered, and no reply is lost or doubled."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.integration.broker.helpers.running_broker import TOKEN, every

ROOT = Path(__file__).parents[3]
EVENTS = 80


@asynccontextmanager
async def broker_process(path, function, listener):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.broker.helpers.broker_process"),
        *(str(path), function.url, listener.url),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        port = int(await process.stdout.readline())
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def send(session, url, identity):
    headers = {
        "ce-specversion": "1.0",
        "ce-id": identity,
        "ce-source": "/tests",
        "ce-type": "greeting",
    }
    try:
        async with session.post(f"{url}/team/default", headers=headers) as response:
            return identity if response.status == 202 else None
    except aiohttp.ClientError:
        return None


async def settled(session, url):
    async with asyncio.timeout(60):
        while True:
            async with session.get(f"{url}/-/events?limit=1000") as response:
                entries = (await response.json())["events"]
            if all(item["state"] != "pending" for entry in entries for item in every(entry)):
                return entries
            await asyncio.sleep(0.02)


def answer(headers, _body):
    return web.Response(
        headers={
            "ce-specversion": "1.0",
            "ce-id": f"{headers['ce-id']}-reply",
            "ce-source": "/function",
            "ce-type": "answered",
        }
    )


@pytest.mark.parametrize("deliveries_before_the_kill", [1, 25, 70])
async def test_everything_accepted_is_settled_after_kill_9(
    tmp_path, subscribe, deliveries_before_the_kill
):
    path = tmp_path / "state.sqlite"
    function, listener = await subscribe(answer), await subscribe()
    async with aiohttp.ClientSession(headers=TOKEN) as session:
        async with broker_process(path, function, listener) as (process, url):
            sending = asyncio.gather(*(send(session, url, str(n)) for n in range(EVENTS)))
            await function.wait_for(deliveries_before_the_kill)
            process.kill()
            accepted = [identity for identity in await sending if identity]
        async with broker_process(path, function, listener) as (_process, url):
            entries = await settled(session, url)

    ids = Counter(entry["attributes"]["id"] for entry in entries)
    replied = [entry["triggers"][0] for entry in entries if len(entry["attributes"]["id"]) < 3]
    assert accepted
    assert set(accepted) <= ids.keys()
    assert set(ids.values()) == {1}
    assert {item["state"] for entry in entries for item in every(entry)} == {"delivered"}
    assert {item["replyId"] for item in replied} == set(listener.ids)
    assert set(ids) - set(listener.ids) == {name.removesuffix("-reply") for name in listener.ids}
