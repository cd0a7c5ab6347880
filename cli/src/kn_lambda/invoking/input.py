"""Data from the command line or a file, and the event made from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kn_lambda.cluster.events import new_event
from kn_lambda.errors import WrongUsageError
from kn_lambda.terminal.output import echo
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.json_format import from_json
from knative_lambda.inbound.valid_event import CloudEvent, create_event

JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


def read_data(given: str | None) -> bytes | None:
    """Return the bytes of `--data`: the text itself, `@file`, or stdin for `-`."""
    if given is None:
        return None
    if given == "-":
        return sys.stdin.buffer.read()
    if given.startswith("@"):
        try:
            return Path(given[1:]).read_bytes()
        except OSError as error:
            raise WrongUsageError(
                f"--data: cannot read {given[1:]}: {error.strerror}",
                hint="Name a file after the @, or pass the data itself.",
            ) from error
    return given.encode()


def content_type(data: bytes) -> str:
    """Return JSON if the data is valid JSON, else text or bytes."""
    try:
        json.loads(data)
    except ValueError:
        pass
    else:
        return JSON
    try:
        data.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return _TEXT


def warn_of_invalid_json(given: str | None) -> None:
    """Print the syntax error in a `--data` that looks like JSON: it may be meant so, or not."""
    if given is None or not given.lstrip().startswith(("{", "[")):
        return
    try:
        json.loads(given)
    except ValueError as error:
        echo(f"--data is not valid JSON, so it is sent as text: {error}", err=True)


def make_event(type_: str, data: bytes | None) -> CloudEvent:
    """Make an event with the current time; without data, with an empty object."""
    event = new_event(type_, {})
    if data is None:
        return event
    return create_event({**event.attributes, "datacontenttype": content_type(data)}, data)


def read_event(path: Path, type_: str | None, data: bytes | None) -> CloudEvent:
    """Read an event in the JSON format; `type_` and `data` override those of the file."""
    try:
        event = from_json(path.read_bytes())
        if type_ is not None:
            event = event.extended({"type": type_})
        if data is not None:
            attributes = {**event.attributes, "datacontenttype": content_type(data)}
            event = create_event(attributes, data)
    except InvalidEventError as error:
        raise WrongUsageError(
            f"{path} is not a valid CloudEvent: {error.message}",
            hint="It must be one JSON object with specversion, id, source, type and data.",
        ) from error
    return event
