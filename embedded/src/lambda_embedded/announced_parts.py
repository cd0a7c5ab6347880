"""Broker and Serving that say when they have started, for the order in which the platform does."""

from __future__ import annotations

import asyncio

from typing_extensions import override

from lambda_embedded.broker.broker import Broker
from lambda_embedded.serving.composition import Serving


class AnnouncedBroker(Broker):
    """Sets `started` once events are routed."""

    started: asyncio.Event

    @override
    async def start(self) -> None:
        """Take up everything pending."""
        await super().start()
        self.started.set()


class AnnouncedServing(Serving):
    """Sets `started` once the gateway may ask it."""

    started: asyncio.Event

    @override
    async def start(self) -> None:
        """Take over the Services that are there."""
        await super().start()
        # The task that follows Services takes over those that are there in its first step.
        await asyncio.sleep(0)
        self.started.set()
