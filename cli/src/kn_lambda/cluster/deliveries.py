"""The deliveries of one event at the embedded Broker: retries and dead letters."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.installation import CONTROL_NAMESPACE
from kn_lambda.cluster.journal import read_dead_letter, read_journal
from kn_lambda.errors import CommandError
from kn_lambda.program import command_about
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kn_lambda.cluster.installation import Installation
    from kn_lambda.cluster.rejection import Rejection

_PAUSE_SECONDS = 0.25


class Deliveries:
    """Polls the events of one correlation id; a cluster's Broker has no journal to poll."""

    def __init__(
        self, installation: Installation, correlation: str, report: Callable[[str], None]
    ) -> None:
        self._installation = installation
        self._correlation = correlation
        self._report = report
        self._attempts: dict[tuple[str, str], int] = {}
        self._next = 0.0
        self.reply_types: set[str] = set()

    def poll(self) -> Rejection | None:
        """Return why an event became a dead letter, if one did; report each retry."""
        now = time.monotonic()
        if not self._installation.is_embedded or now < self._next:
            return None
        self._next = now + _PAUSE_SECONDS
        try:
            return self._look()
        except CommandError:
            return None  # the platform restarts: the watcher of the record counts the outage

    def _look(self) -> Rejection | None:
        events = read_journal(self._installation, "events", correlation=self._correlation)
        has_dead_letter = False
        for event in events:
            self.reply_types.add(event["attributes"]["type"])
            for delivery in event["triggers"]:
                has_dead_letter |= delivery["state"] not in {"pending", "delivered"}
                self._report_retry(event, delivery)
        return self._first_dead_letter() if has_dead_letter else None

    def _report_retry(self, event: Mapping[str, Any], delivery: Mapping[str, Any]) -> None:
        key = (event["attributes"]["id"], delivery["name"])
        attempts = delivery["attempts"]
        if delivery["state"] == "pending" and attempts > self._attempts.get(key, 0):
            response = _status_text(delivery["status"])
            is_first = key not in self._attempts
            where = _where_to_look(delivery["name"]) if is_first else ""
            self._report(f"{delivery['name']} {response}; the Broker will retry{where}")
            self._attempts[key] = attempts

    def _first_dead_letter(self) -> Rejection | None:
        found = read_journal(self._installation, "dead-letters", correlation=self._correlation)
        return read_dead_letter(found[-1]) if found else None


def _where_to_look(trigger: str) -> str:
    # These Triggers have the names of their functions; for others it is not worth a look-up.
    if trigger not in {"build-start", "publish", "build-complete"}:
        return ""
    return f" (see {command_about(FunctionId(CONTROL_NAMESPACE, trigger), 'logs')})"


def _status_text(status: int | None) -> str:
    if status is None:
        return "did not respond"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "is busy (429)"
    return f"returned {status}"
