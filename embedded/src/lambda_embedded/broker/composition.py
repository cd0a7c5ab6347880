"""The Broker: accepts events durably and delivers them to the subscribers of its Triggers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lambda_embedded.broker.deliver.delivery import Delivery
from lambda_embedded.broker.deliver.dispatcher import Dispatcher
from lambda_embedded.broker.deliver.sender import Sender, create_session
from lambda_embedded.broker.receive.intake import (
    EventLoopError,
    Intake,
    UnknownBrokerError,
    take_ttl,
)
from lambda_embedded.broker.report.journal import Journal
from lambda_embedded.broker.report.reconciler import Reconciler
from lambda_embedded.broker.routing.routes import Routes
from lambda_embedded.broker.routing.watcher import RouteWatcher
from lambda_embedded.broker.settings import BrokerSettings
from lambda_embedded.broker.store.deliveries import DeliveryStore
from lambda_embedded.broker.store.group_commit import GroupCommit
from lambda_embedded.eventing.destinations import DestinationResolver

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.access.platform_credentials import PlatformCredentials
    from lambda_embedded.broker.store.deliveries import Scheduled
    from lambda_embedded.eventing.destinations import Resolve
    from lambda_embedded.store.database import Database
    from lambda_embedded.store.objects import Objects

logger = logging.getLogger(__name__)

_PRUNE_SECONDS = 30.0


class Broker:
    """All Brokers of the embedded platform.

    Used within one event loop: `start`, then any other method, then `stop`; or `run` for both.
    """

    def __init__(
        self,
        database: Database,
        objects: Objects,
        *,
        base_url: str,
        resolve: Resolve | None = None,
        session: aiohttp.ClientSession | None = None,
        credentials: PlatformCredentials | None = None,
        settings: BrokerSettings | None = None,
    ) -> None:
        self.settings = settings or BrokerSettings()
        self.started = asyncio.Event()
        """Set while events are routed."""
        self._objects = objects
        self._base_url = base_url
        self._resolve = resolve or DestinationResolver(objects).resolve
        self._session = session
        self._credentials = credentials
        self._own_session: aiohttp.ClientSession | None = None
        self._store = DeliveryStore(database)
        self._commit = GroupCommit(database)
        self._routes = Routes()
        self._watcher = RouteWatcher(objects, self._routes)
        self._intake = Intake(self._store, self._routes, catch_up=self._watcher.catch_up)
        self._journal = Journal(database, self.settings)
        self._dispatcher: Dispatcher | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Start, work until cancelled, stop."""
        await self.start()
        try:
            await asyncio.gather(*self._tasks)
        finally:
            await self.stop()

    async def start(self) -> None:
        """Resume everything pending; returns when events are routed and statuses are written."""
        self._watcher.start()
        dispatcher = self._create_dispatcher()
        self._dispatcher = dispatcher
        pending = self._store.scheduled()
        for lane in {item.lane for item in pending}:
            if not lane.startswith("sink:") and self._routes.trigger(lane) is None:
                self._watcher.removed_lanes.append(lane)
        reconciler = self._create_reconciler(dispatcher)
        await reconciler.reconcile()
        dispatcher.add(pending)
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(work)
            for work in (self._watcher.run(), reconciler.run(), self._prune())
        ]
        self.started.set()

    async def stop(self) -> None:
        """Give deliveries in progress a moment to end; the next start resumes the rest."""
        self.started.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._dispatcher is not None:
            await self._dispatcher.stop(self.settings.drain.total_seconds())
            self._dispatcher = None
        self._watcher.stop()
        if self._own_session is not None:
            await self._own_session.close()
            self._own_session = None

    async def accept(
        self,
        namespace: str,
        broker: str,
        event: CloudEvent,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Return when the event and its deliveries are durable; subscribers get `headers` as well.

        Raises `UnknownBrokerError` or `EventLoopError` for an event that is rejected.
        """
        if self._dispatcher is None:
            raise RuntimeError("the Broker is not running")
        self._watcher.catch_up()
        if self._routes.broker(namespace, broker) is None:
            raise UnknownBrokerError(f"there is no Broker {namespace}/{broker}")
        visible, ttl = take_ttl(event)
        scheduled = await self._commit.run(
            lambda: self._intake.enter(namespace, broker, visible, ttl, headers=headers or {})
        )
        self._schedule(scheduled)
        if ttl == 0:
            raise EventLoopError("the event passed the Broker too often (knativebrokerttl)")

    def journal(
        self,
        limit: int = 100,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002  # the name of the attribute
        correlation: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the newest events with these attributes, and the state of their deliveries."""
        return self._journal.events(limit, subject=subject, type=type, correlation=correlation)

    def dead_letters(
        self,
        limit: int = 100,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002  # the name of the attribute
        correlation: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the newest dead letters with these attributes."""
        return self._journal.dead_letters(
            limit, subject=subject, type=type, correlation=correlation
        )

    async def _prune(self) -> None:
        while True:
            try:
                more = await self._commit.run(self._journal.prune)
            except Exception:
                logger.exception("old events could not be pruned")
                more = 0
            await asyncio.sleep(0 if more else _PRUNE_SECONDS)

    def _create_dispatcher(self) -> Dispatcher:
        session = self._session
        if session is None:
            session = self._own_session = create_session()
        delivery = Delivery(
            store=self._store,
            intake=self._intake,
            routes=self._routes,
            commit=self._commit,
            sender=Sender(
                session,
                reply_limit_bytes=self.settings.body_limit_bytes,
                credentials=self._credentials,
            ),
            resolve=self._resolve,
            schedule=self._schedule,
            unresolved_limit=self.settings.unresolved_limit,
        )
        return Dispatcher(
            delivery.deliver,
            concurrency=self.settings.concurrency_per_trigger,
            blocked_seconds=self.settings.unresolved_retry.total_seconds(),
        )

    def _schedule(self, deliveries: list[Scheduled]) -> None:
        if self._dispatcher is not None:
            self._dispatcher.add(deliveries)

    def _create_reconciler(self, dispatcher: Dispatcher) -> Reconciler:
        return Reconciler(
            objects=self._objects,
            routes=self._routes,
            watcher=self._watcher,
            store=self._store,
            commit=self._commit,
            dispatcher=dispatcher,
            resolve=self._resolve,
            base_url=self._base_url,
        )
