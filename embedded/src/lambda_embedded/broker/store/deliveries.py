"""Accepted events and their deliveries on disk."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from knative_lambda.inbound.valid_event import CloudEvent
from lambda_embedded.broker.store.tables import ADD_HEADERS, PENDING, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.broker.routing.route import Route
    from lambda_embedded.store.database import Database


class FailedAttempt(Protocol):
    """What is kept of an attempt that failed."""

    @property
    def status(self) -> int | None:
        """The HTTP status; None where there was no response."""
        ...

    @property
    def error(self) -> str:
        """Why it failed, for people."""
        ...


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A delivery and when it is due."""

    sequence: int
    lane: str
    due: float


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery with its event."""

    sequence: int
    event_sequence: int
    lane: str
    trigger_namespace: str
    trigger_name: str
    attempts: int
    sink: str | None
    namespace: str
    broker: str
    ttl: int
    accepted: float
    headers: Mapping[str, str]
    event: CloudEvent

    @property
    def trigger(self) -> str:
        """Namespace and name, for people."""
        return f"{self.trigger_namespace}/{self.trigger_name}"


class DeliveryStore:
    """Rows of events, deliveries and dead letters.

    Nothing here opens a transaction: callers group what must be durable together.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(TABLES)
        columns = database.execute("SELECT name FROM pragma_table_info('broker_events')")
        if "headers" not in {column["name"] for column in columns}:
            database.execute(ADD_HEADERS)

    def insert_event(
        self,
        namespace: str,
        broker: str,
        event: CloudEvent,
        ttl: int,
        dropped: str | None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Add an event; one that is dropped is settled at once."""
        now = time.time()
        row = self._database.execute(
            "INSERT INTO broker_events (namespace, broker, type, subject, correlation, attributes,"
            " data, ttl, accepted, dropped, settled, headers)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(namespace, broker),
                *(event.attributes.get(name) for name in ("type", "subject", "correlationid")),
                *(json.dumps(event.attributes), event.data, ttl, now, dropped),
                now if dropped else None,
                json.dumps(headers or {}),
            ),
        )
        return _identity(row.lastrowid)

    def insert_deliveries(self, event: int, routes: Iterable[Route]) -> list[Scheduled]:
        """Add one delivery per Trigger; an event without any is settled at once."""
        scheduled = [self._insert_delivery(event, route.uid, route.key) for route in routes]
        if not scheduled:
            self.settle_event(event)
        return scheduled

    def scheduled(self) -> list[Scheduled]:
        """Return everything that is pending, which a start resumes."""
        rows = self._database.execute(
            "SELECT sequence, lane, due FROM broker_deliveries WHERE state = 'pending'"
        )
        return [Scheduled(row["sequence"], row["lane"], row["due"]) for row in rows]

    def pending(self, sequence: int) -> Pending | None:
        """Return a delivery with its event, or None when it is no longer pending."""
        row = self._database.execute(PENDING, (sequence,)).fetchone()
        if row is None:
            return None
        event = CloudEvent(json.loads(row["attributes"]), row["data"])
        headers = json.loads(row["headers"])
        return Pending(**{name: row[name] for name in _READ}, headers=headers, event=event)

    def finish(
        self,
        delivery: Pending,
        state: str,
        *,
        status: int | None = None,
        error: str | None = None,
        reply: str | None = None,
        attempted: bool = True,
    ) -> bool:
        """End a pending delivery and settle its event with the last one; False if it has ended."""
        changed = self._database.execute(
            "UPDATE broker_deliveries SET state = ?, attempts = attempts + ?, status = ?,"
            " error = ?, reply = ? WHERE sequence = ? AND state = 'pending'",
            (state, int(attempted), status, error, reply, delivery.sequence),
        )
        if changed.rowcount == 0:
            return False
        self.settle_event(delivery.event_sequence)
        return True

    def postpone(self, delivery: Pending, failure: FailedAttempt, due: float) -> None:
        """Count a failed attempt and wait until `due`."""
        self._database.execute(
            "UPDATE broker_deliveries SET attempts = attempts + 1, status = ?, error = ?, due = ?"
            " WHERE sequence = ? AND state = 'pending'",
            (failure.status, failure.error, due, delivery.sequence),
        )

    def drop_lane(self, lane: str, running: Iterable[int], reason: str) -> int:
        """Drop the pending deliveries of a lane, except those in progress; return how many."""
        kept = set(running)
        rows = self._database.execute(
            "SELECT sequence, event FROM broker_deliveries WHERE lane = ? AND state = 'pending'",
            (lane,),
        ).fetchall()
        dropped = [row for row in rows if row["sequence"] not in kept]
        for row in dropped:
            self._database.execute(
                "UPDATE broker_deliveries SET state = 'dropped', error = ? WHERE sequence = ?",
                (reason, row["sequence"]),
            )
            self.settle_event(row["event"])
        return len(dropped)

    def insert_dead_letter(
        self, delivery: Pending, event: CloudEvent, failure: FailedAttempt, sink: str | None
    ) -> Scheduled | None:
        """Keep an event that could not be delivered, and schedule it for a sink that is a URI."""
        row = self._database.execute(
            "INSERT INTO broker_dead_letters (namespace, broker, trigger_name, type, subject,"
            " correlation, attributes, data, accepted, died, attempts, status, error)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(delivery.namespace, delivery.broker, delivery.trigger_name),
                *(event.attributes.get(name) for name in ("type", "subject", "correlationid")),
                *(json.dumps(event.attributes), event.data, delivery.accepted, time.time()),
                *(delivery.attempts + 1, failure.status, failure.error),
            ),
        )
        if sink is None:
            return None
        return self._insert_delivery(
            delivery.event_sequence,
            f"sink:{delivery.lane}",
            (delivery.trigger_namespace, delivery.trigger_name),
            dead_letter=_identity(row.lastrowid),
            sink=sink,
        )

    def settle_event(self, event: int) -> None:
        """Mark an event that has nothing pending, so that it can be pruned."""
        self._database.execute(
            "UPDATE broker_events SET settled = ? WHERE sequence = ? AND NOT EXISTS (SELECT 1"
            " FROM broker_deliveries WHERE event = ? AND state = 'pending')",
            (time.time(), event, event),
        )

    def _insert_delivery(
        self,
        event: int,
        lane: str,
        trigger: tuple[str, str],
        *,
        dead_letter: int | None = None,
        sink: str | None = None,
    ) -> Scheduled:
        now = time.time()
        row = self._database.execute(
            "INSERT INTO broker_deliveries (event, lane, trigger_namespace, trigger_name, state,"
            " due, dead_letter, sink) VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)",
            (event, lane, *trigger, now, dead_letter, sink),
        )
        return Scheduled(_identity(row.lastrowid), lane, now)


_READ = tuple(name for name in Pending.__slots__ if name not in {"headers", "event"})


def _identity(rowid: int | None) -> int:
    if rowid is None:
        raise LookupError("SQLite returned no row id")
    return rowid
