"""A Broker with its ingress, subscribers that are HTTP servers, and their objects."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from lambda_embedded.access.access import Access
from lambda_embedded.broker.composition import Broker
from lambda_embedded.broker.server import create_server
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

ACCESS = Access(token="the-token-of-tests")


TOKEN = {"Authorization": f"Bearer {ACCESS.token}"}


QUICK = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.01S"}


WITH_SINK = {
    **QUICK,
    "deadLetterSink": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "dead-letters"}},
}


def broker_object(name="default", **spec):
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"namespace": "team", "name": name},
        "spec": spec,
    }


def trigger_object(name, subscriber, *, broker="default", **spec):
    destination = {"uri": subscriber} if isinstance(subscriber, str) else subscriber
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"namespace": "team", "name": name},
        "spec": {"broker": broker, "subscriber": destination, **spec},
    }


def reply(identity, type_="answered", status=200):
    return web.Response(
        status=status,
        headers={
            "ce-specversion": "1.0",
            "ce-id": identity,
            "ce-source": "/function",
            "ce-type": type_,
            "content-type": "application/json",
        },
        body=b"{}",
    )


class Subscriber:
    """Answers each request by `answer(headers, body)` and remembers what it got."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.arrived = asyncio.Condition()
        application = web.Application()
        application.router.add_post("/{path:.*}", self._handle)
        self.server = TestServer(application)

    @property
    def url(self):
        return str(self.server.make_url("/"))

    @property
    def ids(self):
        return [headers["ce-id"] for headers, _body in self.requests]

    async def wait_for(self, count):
        async with asyncio.timeout(20), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def _handle(self, request):
        body = await request.read()
        self.requests.append((request.headers, body))
        async with self.arrived:
            self.arrived.notify_all()
        answer = self.answer(request.headers, body)
        return await answer if asyncio.iscoroutine(answer) else answer


class Platform:
    """A Broker on a data file, its ingress and a client."""

    def __init__(self, folder, settings):
        self.database = Database(folder / "state.sqlite")
        self.objects = Objects(self.database)
        self.settings = settings
        self.broker = Broker(
            self.database,
            self.objects,
            base_url="http://127.0.0.1:8081",
            settings=settings,
        )
        self.session = aiohttp.ClientSession(headers=TOKEN)
        self.ingress = TestServer(create_server(self.broker, ACCESS))

    async def start(self):
        await self.broker.start()
        await self.ingress.start_server(auto_decompress=False)

    async def stop(self):
        await self.session.close()
        await self.ingress.close()
        await self.broker.stop()
        self.database.close()

    def apply(self, *items):
        return [self.objects.create(item["kind"], item) for item in items]

    async def post(self, headers, data=b"", path="/team/default"):
        async with self.session.post(
            self.ingress.make_url(path), headers=headers, data=data
        ) as response:
            return response.status, await response.read()

    async def send(self, identity="1", type_="greeting", data=b"", **extensions):
        headers = {
            "ce-specversion": "1.0",
            "ce-id": identity,
            "ce-source": "/tests",
            "ce-type": type_,
            **{f"ce-{name}": value for name, value in extensions.items()},
        }
        if data:
            headers["content-type"] = "application/json"
        return await self.post(headers, data)

    async def settled(self, **filters):
        """Return the journal once nothing is pending, however long the deliveries take."""
        async with asyncio.timeout(30):
            while True:
                entries = self.broker.journal(1000, **filters)
                states = [trigger["state"] for entry in entries for trigger in every(entry)]
                if entries and "pending" not in states:
                    return entries
                await asyncio.sleep(0.005)


def every(entry):
    return [*entry["triggers"], *entry["deadLetterSinks"]]
