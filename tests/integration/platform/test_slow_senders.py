"""Connections that stop in the middle of a request, on each of the three ports."""

from __future__ import annotations

import asyncio
import os

import pytest

from lambda_embedded.platform import Platform
from lambda_embedded.platform_options import PlatformOptions
from tests.helpers.platform_access import trust

HALVES = [
    "",
    "POST / HT",
    "POST / HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le",
]


@pytest.mark.parametrize("half", HALVES, ids=["nothing", "line", "no-headers", "half-a-name"])
async def test_a_half_sent_head_is_given_up_on_every_port(tmp_path, installation, half):
    options = PlatformOptions(
        home=tmp_path / "home",
        environment=dict(os.environ),  # noqa: TID251  # how the platform is told
        installation=installation,
        head_seconds=0.2,
        port=0,
        broker_port=0,
        api_port=0,
    )
    async with Platform(options) as platform:
        for url in platform.urls.values():
            scheme, _, port = url.rpartition(":")
            tls = trust(platform.folder.kubeconfig) if scheme.startswith("https") else None
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port), ssl=tls)
            writer.write(half.encode())
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
