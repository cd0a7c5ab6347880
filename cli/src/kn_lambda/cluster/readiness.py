"""Whether an object of Knative is Ready, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.cluster.records import mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Mapping

READY = "ready"


def readiness(item: Mapping[str, object] | None) -> str:
    """Return `READY`, or what is wrong: `not found`, `not ready (<why>)`."""
    if item is None:
        return "not found"
    conditions = mappings(mapping(item.get("status")).get("conditions"))
    ready = next((each for each in conditions if each.get("type") == "Ready"), {})
    if ready.get("status") == "True":
        return READY
    why = ": ".join(part for part in map(text, (ready.get("reason"), ready.get("message"))) if part)
    return f"not ready ({why or 'no status yet'})"
