"""What became of each event, and for how long that is kept."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.inbound.json_format import to_json
from knative_lambda.inbound.valid_event import CloudEvent
from lambda_embedded.eventing.destinations import redacted

if TYPE_CHECKING:
    from sqlite3 import Row

    from lambda_embedded.broker.settings import BrokerSettings
    from lambda_embedded.store.database import Database

LARGEST_PAGE = 1000
_PRUNED_AT_ONCE = 500


class Journal:
    """Reads events and dead letters by index, and prunes the oldest settled ones."""

    def __init__(self, database: Database, settings: BrokerSettings) -> None:
        self._database = database
        self._settings = settings

    def events(
        self,
        limit: int,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002  # the name of the attribute
        correlation: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return events, newest first, with the state of each of their deliveries."""
        rows = self._page("broker_events", limit, subject, type, correlation)
        deliveries = self._deliveries([row["sequence"] for row in rows])
        return [_event(row, deliveries[row["sequence"]]) for row in rows]

    def dead_letters(
        self,
        limit: int,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002  # the name of the attribute
        correlation: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return dead letters, newest first, as events with Knative's error attributes."""
        rows = self._page("broker_dead_letters", limit, subject, type, correlation)
        return [_dead_letter(row) for row in rows]

    def prune(self) -> int:
        """Delete some rows beyond a limit; return how many, 0 when none are left.

        Called within a transaction; one call takes a bounded time.
        """
        return self._prune_events() + self._prune_dead_letters()

    def _page(
        self,
        table: str,
        limit: int,
        subject: str | None,
        type_: str | None,
        correlation: str | None,
    ) -> list[Row]:
        wanted = {"subject": subject, "type": type_, "correlation": correlation}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "TRUE"
        return self._database.execute(
            f"SELECT * FROM {table} WHERE {where} ORDER BY sequence DESC LIMIT ?",  # noqa: S608  # only fixed text
            (*given.values(), max(0, min(limit, LARGEST_PAGE))),
        ).fetchall()

    def _deliveries(self, events: list[int]) -> defaultdict[int, list[dict[str, Any]]]:
        places = ",".join("?" * len(events))
        rows = self._database.execute(
            f"SELECT * FROM broker_deliveries WHERE event IN ({places}) ORDER BY sequence",  # noqa: S608  # only question marks
            tuple(events),
        )
        found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            found[row["event"]].append(_delivery(row))
        return found

    def _prune_events(self) -> int:
        settled = self._database.execute(
            "SELECT count(*) FROM broker_events WHERE settled IS NOT NULL"
        ).fetchone()[0]
        oldest = self._database.execute(
            "SELECT sequence, settled FROM broker_events WHERE settled IS NOT NULL"
            " ORDER BY sequence LIMIT ?",
            (_PRUNED_AT_ONCE,),
        ).fetchall()
        too_many = settled - self._settings.events_kept
        too_old = time.time() - self._settings.events_kept_for.total_seconds()
        pruned = [
            row["sequence"]
            for index, row in enumerate(oldest)
            if index < too_many or row["settled"] < too_old
        ]
        for event in pruned:
            self._database.execute("DELETE FROM broker_deliveries WHERE event = ?", (event,))
            self._database.execute("DELETE FROM broker_events WHERE sequence = ?", (event,))
        return len(pruned)

    def _prune_dead_letters(self) -> int:
        # Row ids ascend and are never reused, so the newest one gives the number.
        return self._database.execute(
            "DELETE FROM broker_dead_letters WHERE sequence IN (SELECT sequence FROM"
            " broker_dead_letters WHERE sequence <= (SELECT max(sequence) FROM broker_dead_letters)"
            " - ? ORDER BY sequence LIMIT ?)",
            (self._settings.dead_letters_kept, _PRUNED_AT_ONCE),
        ).rowcount


def _event(row: Row, deliveries: list[dict[str, Any]]) -> dict[str, Any]:
    entry = {
        "namespace": row["namespace"],
        "broker": row["broker"],
        "attributes": json.loads(row["attributes"]),
        "acceptedAt": _time(row["accepted"]),
        "triggers": [delivery for delivery in deliveries if "sink" not in delivery],
        "deadLetterSinks": [delivery for delivery in deliveries if "sink" in delivery],
    }
    return entry if row["dropped"] is None else {**entry, "dropped": row["dropped"]}


def _delivery(row: Row) -> dict[str, Any]:
    entry = {
        "namespace": row["trigger_namespace"],
        "name": row["trigger_name"],
        "state": row["state"],
        "attempts": row["attempts"],
        "status": row["status"],
        "error": row["error"],
        "replyId": row["reply"],
    }
    if row["state"] == "pending":
        entry["dueAt"] = _time(row["due"])
    return entry if row["sink"] is None else {**entry, "sink": redacted(row["sink"])}


def _dead_letter(row: Row) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "namespace": row["namespace"],
        "broker": row["broker"],
        "trigger": row["trigger_name"],
        "acceptedAt": _time(row["accepted"]),
        "diedAt": _time(row["died"]),
        "attempts": row["attempts"],
        "status": row["status"],
        "error": row["error"],
        "event": to_json(CloudEvent(json.loads(row["attributes"]), row["data"])),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
