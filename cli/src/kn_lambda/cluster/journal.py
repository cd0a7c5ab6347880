"""The journal of the embedded Broker: the events that it accepted, and its dead letters."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from kn_lambda.cluster.rejection import Rejection, parse_rejection, read_rejection
from kn_lambda.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.cluster.installation import Installation


def read_journal(
    installation: Installation, what: str, **filters: str | int
) -> list[dict[str, Any]]:
    """Return `events` or `dead-letters`, newest first; only embedded platforms have a journal."""
    query = urlencode({name: value for name, value in filters.items() if value != ""})
    url = urljoin(installation.control_broker_url(), f"/-/{what}?{query}")
    response = installation.http.request("GET", url, headers=installation.broker_headers)
    if not response.is_success:
        raise CommandError(
            f"cannot read the events of the Broker: {read_rejection(response)}",
            hint="Run `kn-lambda doctor` to check the platform and your access.",
        )
    document = json.loads(response.body)
    entries: list[dict[str, Any]] = document["deadLetters" if what == "dead-letters" else what]
    return entries


def read_dead_letter(entry: Mapping[str, Any]) -> Rejection:
    """Return why the subscriber rejected the event of a dead letter."""
    fallback = str(entry.get("error") or "DeadLetter")
    encoded = str(entry.get("event", {}).get("knativeerrordata", ""))
    try:
        body = base64.b64decode(encoded)
    except ValueError:
        body = encoded.encode()
    return parse_rejection(body, fallback=fallback)
