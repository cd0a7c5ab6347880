"""Which Triggers an event went to, as the embedded Broker recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.cluster.journal import read_journal
from kn_lambda.cluster.records import mapping, text
from kn_lambda.errors import CommandError
from knative_lambda.adapters.kubernetes.client import TRIGGERS
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from kn_lambda.cluster.installation import Installation
    from knative_lambda.inbound.valid_event import CloudEvent

_RECENT = 100


def matched_triggers(
    installation: Installation, namespace: str, broker: str, event: CloudEvent
) -> list[dict[str, str]] | None:
    """Return `{name, subscriber?}` of each Trigger; None if it is not known, as on a cluster.

    The event was accepted, so no failure to find this out is an error.
    """
    if not installation.is_embedded:
        return None
    try:
        return _look_up(installation, namespace, broker, event)
    except (CommandError, KnativeLambdaError):
        return None


def _look_up(
    installation: Installation, namespace: str, broker: str, event: CloudEvent
) -> list[dict[str, str]] | None:
    attributes = event.attributes
    for entry in read_journal(installation, "events", type=attributes["type"], limit=_RECENT):
        found = entry["attributes"]
        is_it = (found["id"], found["source"]) == (attributes["id"], attributes["source"])
        if is_it and (entry["namespace"], entry["broker"]) == (namespace, broker):
            return [_match(installation, each) for each in entry["triggers"]]
    return None


def _match(installation: Installation, delivery: dict[str, str]) -> dict[str, str]:
    name = delivery["name"]
    trigger = installation.api.find(TRIGGERS, delivery["namespace"], name) or {}
    subscriber = mapping(mapping(trigger.get("spec")).get("subscriber"))
    function = text(mapping(subscriber.get("ref")).get("name"))
    return {"name": name, "subscriber": function} if function else {"name": name}
