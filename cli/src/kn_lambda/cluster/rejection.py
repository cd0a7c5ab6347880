"""Error bodies: why an event or a request was rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kn_lambda.cluster.http import Response


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """The reason in an error body; `field` names the wrong field of a spec."""

    reason: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        """Return one line for a message."""
        field = f"{self.field}: " if self.field else ""
        return f"{self.reason}: {field}{self.message}" if self.message else self.reason


def read_rejection(response: Response) -> Rejection:
    """Read the body of an error response; text in another format becomes the message."""
    return parse_rejection(response.body, fallback=_status_name(response.status))


def parse_rejection(body: bytes, *, fallback: str) -> Rejection:
    """Read `{reason, message, field}`; other text becomes the message, `fallback` the reason."""
    text = body.decode(errors="replace").strip()
    try:
        document = json.loads(text)
        return Rejection(
            reason=str(document["reason"]),
            message=str(document.get("message", "")),
            field=str(document.get("field") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Rejection(reason=fallback, message=text[:500])


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"
