"""What a lambda and its caller see of the proxy between them."""

from __future__ import annotations

import asyncio
import gzip
import io
import json

import aiohttp
import pytest


@pytest.fixture
async def hello(platform):
    platform.apply()
    await platform.ready()
    return platform


async def test_the_prefix_is_stripped_and_the_rest_of_the_path_stays_as_sent(hello):
    _, body = await hello.get("/a%2Fb/..;x?q=%20+&empty=")
    assert json.loads(body)["path"] == "/a%2Fb/..;x?q=%20+&empty="


@pytest.mark.parametrize(("path", "seen"), [("", "/"), ("/", "/"), ("?a=b", "/?a=b")])
async def test_the_root_of_a_service_has_one_slash(hello, path, seen):
    assert json.loads((await hello.get(path))[1])["path"] == seen


async def test_a_service_is_found_by_host_name(hello):
    headers = {"Host": "hello.team.example.com:8080"}
    async with hello.client.get(f"{hello.url}/any/path", headers=headers) as response:
        seen = await response.json()
    assert (seen["path"], seen["headers"]["host"]) == ("/any/path", "hello.team.example.com:8080")


async def test_the_way_of_a_request_is_told_in_its_headers(hello):
    headers = {"X-Forwarded-For": "10.0.0.9", "Connection": "X-Private", "X-Private": "1"}
    seen = json.loads((await hello.get("/", headers=headers))[1])["headers"]
    assert seen["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-forwarded-host"] == hello.url.removeprefix("http://")
    assert seen["x-forwarded-prefix"] == "/team/hello"
    assert "x-private" not in seen
    assert "accept-encoding" in seen  # the caller's own


@pytest.mark.parametrize("path", ["/", "/team", "/team/nobody/x", "/favicon.ico"])
async def test_unknown_places_are_404_in_json(hello, path):
    async with hello.client.get(hello.url + path) as response:
        assert (response.status, (await response.json())["reason"]) == (404, "NotFound")


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 5_000_000])
async def test_bodies_of_any_size_go_both_ways_unchanged(hello, size):
    body = b"x" * size
    async with hello.client.post(f"{hello.url}/team/hello/echo", data=io.BytesIO(body)) as response:
        assert await response.read() == body


async def test_compressed_bodies_are_passed_on_as_they_are(hello):
    body = gzip.compress(b"hello" * 100)
    headers = {"Content-Encoding": "gzip"}
    async with hello.client.post(
        f"{hello.url}/team/hello/echo", data=body, headers=headers
    ) as response:
        assert await response.read() == body


async def test_head_has_the_length_and_no_body(hello):
    async with hello.client.head(f"{hello.url}/team/hello/") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 0
        assert await response.read() == b""


@pytest.mark.parametrize("status", [204, 304])
async def test_responses_without_a_body_stay_without_one(hello, status):
    async with hello.client.get(f"{hello.url}/team/hello/status/{status}") as response:
        assert response.status == status
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert not {"X-Hop", "Content-Type", "Transfer-Encoding"} & set(response.headers)
        assert await response.read() == b""


async def test_both_streams_flow_at_the_same_time(hello):
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def speak():
        for word in (b"one", b"two", b"three"):
            yield word
            assert await heard.get() == word  # the answer to it came before the next is sent

    async with asyncio.timeout(20):
        async with hello.client.post(f"{hello.url}/team/hello/stream", data=speak()) as response:
            async for chunk in response.content.iter_any():
                heard.put_nowait(chunk)


async def test_a_response_cut_short_reaches_the_caller_as_a_broken_one(hello):
    async def speak():
        yield b"some"
        await hello.seen("/stream")
        await hello.get("/crash")
        await asyncio.Event().wait()

    with pytest.raises(aiohttp.ClientError):
        async with hello.client.post(f"{hello.url}/team/hello/stream", data=speak()) as response:
            await response.read()


async def test_a_response_that_never_ends_is_cut_at_the_timeout(platform):
    platform.apply(timeoutSeconds=1)
    await platform.ready()

    async def speak():
        yield b"some"
        await asyncio.Event().wait()

    async with platform.client.post(f"{platform.url}/team/hello/stream", data=speak()) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_no_connection_is_made_per_warm_request(hello):
    sources = set()
    for _ in range(5):
        sources.add(json.loads((await hello.get())[1])["client"][1])
    assert len(sources) == 1
