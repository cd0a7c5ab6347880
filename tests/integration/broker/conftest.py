"""A running Broker with its ingress, and subscribers that are real HTTP servers."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiohttp import web

from lambda_embedded.broker.settings import BrokerSettings
from tests.integration.broker.helpers.running_broker import Platform, Subscriber


@pytest.fixture
def settings():
    return BrokerSettings(
        unresolved_retry=timedelta(milliseconds=20), drain=timedelta(milliseconds=100)
    )


@pytest.fixture
async def stack():
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def platform(tmp_path, settings, stack):
    opened = Platform(tmp_path, settings)
    await opened.start()
    stack.push_async_callback(opened.stop)
    return opened


@pytest.fixture
async def subscribe(stack):
    async def start(answer=lambda headers, body: web.Response(status=204)):
        subscriber = Subscriber(answer)
        await subscriber.server.start_server()
        stack.push_async_callback(subscriber.server.close)
        return subscriber

    return start
