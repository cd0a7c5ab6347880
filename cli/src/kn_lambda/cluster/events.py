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
