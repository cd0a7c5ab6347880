"""One delivery: it is sent, and then done, retried, dead-lettered or dropped."""

from __future__ import annotations

import base64
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.broker.deliver.dispatcher import UnresolvedSubscriberError
from lambda_embedded.broker.deliver.outcome import Delivered, Failed
from lambda_embedded.broker.receive.forwarded_headers import (
    NAMESPACE,
    reply_headers,
    traced_reply,
)
from lambda_embedded.broker.receive.intake import take_ttl
from lambda_embedded.eventing.delivery_spec import DeliverySpec
from lambda_embedded.eventing.destinations import redacted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from lambda_embedded.broker.deliver.sender import Sender
    from lambda_embedded.broker.receive.intake import Intake
    from lambda_embedded.broker.routing.route import Route
    from lambda_embedded.broker.routing.routes import Routes
    from lambda_embedded.broker.store.deliveries import DeliveryStore, Pending, Scheduled
    from lambda_embedded.broker.store.group_commit import GroupCommit
    from lambda_embedded.eventing.destinations import Resolve

logger = logging.getLogger(__name__)

# 768 bytes are 1024 characters of base64, Knative's limit for knativeerrordata.
_ERROR_BODY_BYTES = 768
TRIGGER_GONE = "the Trigger was deleted"


class Delivery:
    """Makes deliveries; each result is durable before anything follows from it."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        intake: Intake,
        routes: Routes,
        commit: GroupCommit,
        sender: Sender,
        resolve: Resolve,
        schedule: Callable[[list[Scheduled]], None],
        unresolved_limit: timedelta,
    ) -> None:
        self._store = store
        self._intake = intake
        self._routes = routes
        self._commit = commit
        self._sender = sender
        self._resolve = resolve
        self._schedule = schedule
        self._unresolved_limit = unresolved_limit

    async def deliver(self, sequence: int) -> float | None:
        """Make one delivery; return when to try again, or None when it has ended."""
        delivery = self._store.pending(sequence)
        if delivery is None:
            return None
        if delivery.sink is not None:
            return await self._send_to_sink(delivery, delivery.sink)
        route = self._routes.trigger(delivery.lane)
        if route is None:
            await self._drop(delivery, attempted=False)
            return None
        url = self._resolve(route.subscriber, route.namespace)
        if url is None:
            await self._wait_for_address(delivery, route)
            return None
        spec = self._routes.delivery(route)
        outcome = await self._sender.send(
            url, delivery.event, within=spec.timeout, headers=_headers(delivery)
        )
        if isinstance(outcome, Delivered):
            await self._finish(delivery, outcome)
            return None
        return await self._fail(delivery, outcome, url)

    async def _finish(self, delivery: Pending, outcome: Delivered) -> None:
        def work() -> list[Scheduled]:
            reply = outcome.reply
            identity = None if reply is None else reply.attributes["id"]
            done = self._store.finish(delivery, "delivered", status=outcome.status, reply=identity)
            if reply is None or not done:
                return []
            event, _own_ttl = take_ttl(traced_reply(reply, delivery.event))
            headers = reply_headers(outcome.headers, delivery.headers)
            return self._intake.enter(
                delivery.namespace, delivery.broker, event, delivery.ttl - 1, headers=headers
            )

        self._schedule(await self._commit.run(work))

    async def _fail(self, delivery: Pending, failure: Failed, url: str) -> float | None:
        route = self._routes.trigger(delivery.lane)
        if route is None:
            await self._drop(delivery, attempted=True)
            return None
        wait = self._routes.delivery(route).wait(delivery.attempts + 1, failure.retry_after)
        if failure.retryable and wait is not None:
            return await self._postpone(delivery, failure, wait)
        await self._dead_letter(delivery, route, failure, url)
        return None

    async def _postpone(self, delivery: Pending, failure: Failed, wait: timedelta) -> float:
        due = time.time() + wait.total_seconds()
        await self._commit.run(lambda: self._store.postpone(delivery, failure, due))
        return due

    async def _dead_letter(
        self, delivery: Pending, route: Route, failure: Failed, url: str | None
    ) -> None:
        sink = self._routes.sink(route)
        if sink is None:
            logger.warning(
                "event %s is lost: Trigger %s has no dead letter sink, and %s",
                *(delivery.event.attributes["id"], delivery.trigger, failure.error),
            )
        state = "lost" if sink is None else "dead"
        letter = delivery.event.extended(_error_extensions(failure, url))

        def work() -> list[Scheduled]:
            if self._store.pending(delivery.sequence) is None:
                return []
            forwarded = None
            if sink is not None:
                uri = None if sink.get("ref") else sink.get("uri")
                forwarded = self._store.insert_dead_letter(delivery, letter, failure, uri)
            self._store.finish(delivery, state, status=failure.status, error=failure.error)
            return [forwarded] if forwarded else []

        self._schedule(await self._commit.run(work))

    async def _drop(self, delivery: Pending, *, attempted: bool) -> None:
        await self._commit.run(
            lambda: self._store.finish(delivery, "dropped", error=TRIGGER_GONE, attempted=attempted)
        )

    async def _wait_for_address(self, delivery: Pending, route: Route) -> None:
        if time.time() - delivery.accepted < self._unresolved_limit.total_seconds():
            raise UnresolvedSubscriberError
        failure = Failed(None, "the subscriber had no address for too long")
        await self._dead_letter(delivery, route, failure, None)

    async def _send_to_sink(self, delivery: Pending, sink: str) -> float | None:
        route = self._routes.trigger(delivery.lane.removeprefix("sink:"))
        spec = self._routes.delivery(route) if route else DeliverySpec()
        outcome = await self._sender.send_to_sink(
            sink, delivery.event, within=spec.timeout, headers=_headers(delivery)
        )
        if isinstance(outcome, Delivered):
            status = outcome.status
            await self._commit.run(lambda: self._store.finish(delivery, "delivered", status=status))
            return None
        wait = spec.wait(delivery.attempts + 1, outcome.retry_after)
        if outcome.retryable and wait is not None:
            return await self._postpone(delivery, outcome, wait)
        logger.warning(
            "dead letter %s of Trigger %s was not accepted by its sink %s: %s",
            *(delivery.event.attributes["id"], delivery.trigger, redacted(sink), outcome.error),
        )
        failure = outcome
        await self._commit.run(
            lambda: self._store.finish(delivery, "lost", status=failure.status, error=failure.error)
        )
        return None


def _headers(delivery: Pending) -> dict[str, str]:
    return {**delivery.headers, NAMESPACE: delivery.trigger_namespace}


def _error_extensions(failure: Failed, url: str | None) -> dict[str, str]:
    status = failure.status or HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "knativeerrordest": redacted(url) if url else "",
        "knativeerrorcode": str(int(status)),
        "knativeerrordata": base64.b64encode(failure.body[:_ERROR_BODY_BYTES]).decode(),
    }
