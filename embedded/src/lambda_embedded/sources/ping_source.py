"""A running PingSource: one event at each time of a cron schedule."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.valid_event import CloudEvent, create_event
from lambda_embedded.sources.resource_events import extensions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.sources.sink import Sink

TYPE = "dev.knative.sources.ping"

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# Clocks change and machines sleep, so no timer runs for longer than this.
_LONGEST_SLEEP_SECONDS = 30.0


class InvalidPingSourceError(ValueError):
    """A field of the spec cannot be used; the message names it."""


class PingSource:
    """Sends at each tick; ticks missed while the platform was down are skipped."""

    def __init__(self, item: Mapping[str, Any], *, sink: Sink) -> None:
        self._item = item
        self._sink = sink
        spec = item["spec"]
        self._schedule = (spec.get("schedule") or "* * * * *", spec.get("timezone") or "UTC")
        self._due = next_tick(*self._schedule, after=datetime.now(UTC))
        ping_event(item)  # an event that cannot be sent fails now, not at the first tick

    async def run(self) -> None:
        """Send until cancelled."""
        while self._due is not None:
            seconds = (self._due - datetime.now(UTC)).total_seconds()
            if seconds > 0:
                await asyncio.sleep(min(seconds, _LONGEST_SLEEP_SECONDS))
                continue
            await self._sink.send(ping_event(self._item))
            self._due = next_tick(*self._schedule, after=datetime.now(UTC))


def ping_source(namespace: str, name: str) -> str:
    """Return the CloudEvents source of a PingSource."""
    return f"/apis/v1/namespaces/{namespace}/pingsources/{name}"


def next_tick(schedule: str, timezone: str, *, after: datetime) -> datetime | None:
    """Return the next time of a schedule (5 fields, 6 with seconds, or @daily and the like)."""
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, KeyError):
        raise InvalidPingSourceError(
            f"spec.timezone {timezone!r} is not a time zone of this machine"
        ) from None
    try:
        return next(CronSim(_DESCRIPTORS.get(schedule, schedule), after.astimezone(zone)), None)
    except CronSimError as error:
        raise InvalidPingSourceError(f"spec.schedule is not in cron syntax: {error}") from None


def ping_event(item: Mapping[str, Any]) -> CloudEvent:
    """Return the event of one tick."""
    metadata, spec = item["metadata"], item["spec"]
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": ping_source(metadata.get("namespace", ""), metadata["name"]),
        "type": TYPE,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **extensions(spec),
    }
    if spec.get("contentType"):
        attributes["datacontenttype"] = spec["contentType"]
    try:
        return create_event(attributes, _data(spec))
    except InvalidEventError as error:
        raise InvalidPingSourceError(f"spec.ceOverrides: {error}") from None


def _data(spec: Mapping[str, Any]) -> bytes | None:
    text, encoded = spec.get("data"), spec.get("dataBase64")
    if encoded:
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidPingSourceError("spec.dataBase64 is not base64") from None
    if not text:
        return None
    if spec.get("contentType") == "application/json":
        try:
            json.loads(text)
        except ValueError:
            raise InvalidPingSourceError("spec.data is not JSON, as contentType says") from None
    return str(text).encode()
