"""Limits of the Broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerSettings:
    """What an operator may want to change; the defaults fit one machine."""

    body_limit_bytes: int = 1024 * 1024
    concurrency_per_trigger: int = 10
    events_kept: int = 20_000
    events_kept_for: timedelta = timedelta(days=7)
    dead_letters_kept: int = 100_000
    unresolved_retry: timedelta = timedelta(seconds=1)
    # An event that waits longer for a subscriber without an address becomes a dead letter.
    unresolved_limit: timedelta = timedelta(days=7)
    drain: timedelta = timedelta(seconds=1)
