"""Sources over real objects, with a Broker that remembers what it accepts."""

from __future__ import annotations

import asyncio

import pytest

from lambda_embedded.sources.controller import SourceController
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects


class Accepted:
    def __init__(self):
        self.events = []
        self.arrived = asyncio.Condition()

    async def accept(self, namespace, broker, event):
        assert (namespace, broker) == ("team", "default")
        self.events.append(event.attributes)
        async with self.arrived:
            self.arrived.notify_all()

    async def first(self, count):
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.events) >= count)
        return self.events[:count]


@pytest.fixture
def objects(tmp_path):
    database = Database(tmp_path / "state.sqlite")
    yield Objects(database)
    database.close()


@pytest.fixture
def accepted():
    return Accepted()


@pytest.fixture
async def sources(objects, accepted):
    made = SourceController(objects, accepted.accept, api_url="http://127.0.0.1:8082")
    yield made
    await made.stop()
