"""CloudEvents on the wire, and what the embedded Broker remembers of them."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from kn_lambda.cluster.service_address import ServiceAddress
from kn_lambda.errors import CommandError, UnreachableError
from knative_lambda.inbound.http_binding import to_http
from knative_lambda.inbound.valid_event import CloudEvent, create_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.cluster.http import Response
    from kn_lambda.cluster.installation import Installation

SOURCE = "/kn-lambda"
# A Broker of in-memory channels answers once its subscribers have, which may have to start first.
_BROKER_SECONDS = 90.0


def new_event(
    type_: str, data: object, *, subject: str | None = None, source: str = SOURCE
) -> CloudEvent:
    """Make an event of now with JSON data; its chain has its own correlation id."""
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": type_,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "correlationid": str(uuid.uuid4()),
    }
    if subject is not None:
        attributes["subject"] = subject
    return create_event(attributes, json.dumps(data, ensure_ascii=False).encode())


def send_to_broker(installation: Installation, url: str, event: CloudEvent) -> None:
    """Put an event into a Broker, which has accepted it when this returns.

    A Broker that only the inside of a cluster can reach is reached through the Kubernetes API.
    """
    headers, body = to_http(event)
    inside = None if installation.is_embedded else ServiceAddress.parse(url)
    if inside is not None:
        installation.api.send_to_service(
            inside, headers=headers, body=body, seconds=_BROKER_SECONDS
        )
        return
    response = installation.http.request(
        "POST",
        url,
        headers={**headers, **installation.broker_headers},
        body=body,
        timeout_seconds=_BROKER_SECONDS,
    )
    if response.is_success:
        return
    rejection = read_rejection(response)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UnreachableError(
            f"the Broker did not take the event: {rejection}", hint="Try again in a moment."
        )
    raise CommandError(f"the Broker refused the event: {rejection}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """Why something was refused, as all our error bodies say it."""

    reason: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        field = f"{self.field}: " if self.field else ""
        return f"{self.reason}: {field}{self.message}" if self.message else self.reason


def read_rejection(response: Response) -> Rejection:
    """Read an error body; whatever else it is becomes its own message."""
    return parse_rejection(response.body, fallback=_status_name(response.status))


def parse_rejection(body: bytes, *, fallback: str) -> Rejection:
    """Read `{reason, message, field}`; other text is the message, under the fallback's name."""
    text = body.decode(errors="replace").strip()
    try:
        said = json.loads(text)
        return Rejection(
            reason=str(said["reason"]),
            message=str(said.get("message", "")),
            field=str(said.get("field") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Rejection(reason=fallback, message=text[:500])


def read_dead_letter(entry: Mapping[str, Any]) -> Rejection:
    """Say why a subscriber refused an event."""
    fallback = str(entry.get("error") or "DeadLetter")
    encoded = str(entry.get("event", {}).get("knativeerrordata", ""))
    try:
        body = base64.b64decode(encoded)
    except ValueError:
        body = encoded.encode()
    return parse_rejection(body, fallback=fallback)


def read_journal(
    installation: Installation, what: str, **filters: str | int
) -> list[dict[str, Any]]:
    """Return `events` or `dead-letters`, newest first; embedded platforms alone have them."""
    query = urlencode({name: value for name, value in filters.items() if value != ""})
    url = urljoin(installation.control_broker_url(), f"/-/{what}?{query}")
    response = installation.http.request("GET", url, headers=installation.broker_headers)
    if not response.is_success:
        raise CommandError(f"the journal cannot be read: {read_rejection(response)}")
    document = json.loads(response.body)
    entries: list[dict[str, Any]] = document["deadLetters" if what == "dead-letters" else what]
    return entries


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"
