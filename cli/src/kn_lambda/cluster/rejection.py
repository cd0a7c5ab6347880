"""Why an event or a request was rejected, as the error bodies of Knative Lambda say it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kn_lambda.cluster.http import Response


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


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"
