"""Files with events in the CloudEvents JSON format: one event, an array of them, or one a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.json_format import from_json
from knative_lambda.inbound.portable_json import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.inbound.valid_event import CloudEvent

STDIN = "-"
_FORMAT = "It may contain one CloudEvent as a JSON object, an array of them, or one a line."


def read_events(path: str) -> list[CloudEvent]:
    """Return the events of a file, or of stdin for `-`, in their order; at least one.

    `WrongUsageError` says which event is wrong, and why.
    """
    name = "stdin" if path == STDIN else path
    events = [
        _read(document, name, number)
        for number, document in enumerate(_documents(_content(path), name), start=1)
    ]
    if not events:
        raise WrongUsageError(
            f"--event: {name} contains no event",
            hint=_FORMAT,
        )
    return events


def _content(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise WrongUsageError(
            f"--event: cannot read {path}: {error.strerror}",
            hint="Name a file with events, or - for stdin.",
        ) from error


def _documents(content: bytes, name: str) -> Iterator[bytes]:
    """Yield each event as JSON, without judging it."""
    try:
        found = loads(content)
    except RecursionError:
        raise WrongUsageError(
            f"--event: {name} has too many levels of JSON", hint="Put it into --data as text."
        ) from None
    except ValueError:
        lines = content.splitlines()
        # One event over several lines that is not valid is one event, and has one error.
        is_one_a_line = len(lines) > 1 and lines[0].strip().endswith(b"}")
        yield from (line for line in lines if line.strip()) if is_one_a_line else [content]
        return
    if isinstance(found, list):
        yield from (json.dumps(each).encode() for each in found)
    else:
        yield content


def _read(document: bytes, name: str, number: int) -> CloudEvent:
    try:
        return from_json(document)
    except InvalidEventError as error:
        raise WrongUsageError(
            f"--event: event {number} of {name} is not a valid CloudEvent: {error.message}",
            hint=_FORMAT,
        ) from error
