"""CloudEvents: how the command line makes one and sends it to a Broker."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from kn_lambda.cluster.rejection import read_rejection
from kn_lambda.cluster.service_address import ServiceAddress
from kn_lambda.errors import CommandError, UnreachableError
from knative_lambda.inbound.http_binding import to_http
from knative_lambda.inbound.valid_event import CloudEvent, create_event

if TYPE_CHECKING:
    from kn_lambda.cluster.installation import Installation

SOURCE = "/kn-lambda"
# A Broker of in-memory channels responds after its subscribers, which may have to start first.
_BROKER_SECONDS = 90.0


def new_event(
    type_: str, data: object, *, subject: str | None = None, source: str = SOURCE
) -> CloudEvent:
    """Make an event with the current time, JSON data and a new correlation id."""
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
    """Send an event; when this returns, the Broker has accepted it.

    A Broker with an address inside the cluster is reached through the Kubernetes API.
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
            f"the Broker did not accept the event: {rejection}", hint="Try again later."
        )
    raise CommandError(
        f"the Broker rejected the event: {rejection}",
        hint="Change the event, or run `kn-lambda doctor` to check your access.",
    )
