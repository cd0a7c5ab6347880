"""Conditions of a `.status`, as Knative writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; true unless `status` says otherwise."""

    type: str
    reason: str = ""
    message: str = ""
    status: str = "True"


def failed(type_: str, reason: str, message: str) -> Condition:
    """Return a condition that is False."""
    return Condition(type_, reason, message, "False")


def conditions(parts: Sequence[Condition], previous: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the parts and `Ready`, which sums them up; unchanged ones keep their time."""
    ready = next(
        (
            Condition("Ready", part.reason, part.message, part.status)
            for part in parts
            if part.status != "True"
        ),
        Condition("Ready"),
    )
    before = {item["type"]: item for item in previous.get("conditions") or []}
    moment = timestamp()
    result = []
    for part in sorted((*parts, ready), key=lambda part: part.type):
        old = before.get(part.type, {})
        same = old.get("status") == part.status
        item = {
            "type": part.type,
            "status": part.status,
            "lastTransitionTime": old.get("lastTransitionTime", moment) if same else moment,
        }
        if part.reason:
            item |= {"reason": part.reason, "message": part.message}
        result.append(item)
    return result
