"""A Broker in a process of its own: `broker_process.py <database> <function URL> <listener URL>`.

Prints the ingress' port once it listens; ends by being killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from lambda_embedded.broker.composition import Broker
from lambda_embedded.broker.server import create_server
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects
from tests.integration.broker.helpers.running_broker import (
    ACCESS,
    QUICK,
    broker_object,
    trigger_object,
)


def apply(objects: Objects, function: str, listener: str) -> None:
    for item in (
        broker_object(delivery={**QUICK, "retry": 20}),
        trigger_object("function", function, filter={"attributes": {"type": "greeting"}}),
        trigger_object("listener", listener, filter={"attributes": {"type": "answered"}}),
    ):
        if objects.find(item["kind"], "team", item["metadata"]["name"]) is None:
            objects.create(item["kind"], item)


async def main(path: str, function: str, listener: str) -> None:
    database = Database(Path(path))
    objects = Objects(database)
    apply(objects, function, listener)
    broker = Broker(database, objects, base_url="http://127.0.0.1")
    await broker.start()
    runner = web.AppRunner(create_server(broker, ACCESS), auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
