"""Writes one JSON Schema per event type of ours, and beside them what describes the HTTP API."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from knative_lambda.domain.events import OWN_EVENTS, schema_url
from knative_lambda.inbound.api.openapi import openapi

FOLDER = Path(__file__).parent
OPENAPI = FOLDER.parent / "openapi.json"


def schemas() -> dict[str, str]:
    """File name -> content, of every event type."""
    return {f"{event_type}.json": _schema(event_type) for event_type in OWN_EVENTS}


def _schema(event_type: str) -> str:
    schema = OWN_EVENTS[event_type].model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_url(event_type),
    }
    return json.dumps(head | schema, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write what changed, remove what no event has any more."""
    wanted = schemas()
    for name, content in wanted.items():
        (FOLDER / name).write_text(content)
    for file in FOLDER.glob("*.json"):
        if file.name not in wanted:
            file.unlink()
    OPENAPI.write_text(openapi())
    sys.stdout.write(f"{len(wanted)} schemas\n")


if __name__ == "__main__":
    main()
