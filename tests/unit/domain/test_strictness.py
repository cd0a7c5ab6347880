"""What the published JSON Schema of an event's data forbids is refused, and never made to fit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knative_lambda.domain.events import OWN_EVENTS

FOLDER = Path(__file__).parents[2]
EVENTS = {name: json.loads((FOLDER / "events" / f"{name}.json").read_text()) for name in OWN_EVENTS}
SCHEMAS = {
    name: json.loads((FOLDER.parent / "docs" / "schemas" / f"{name}.json").read_text())
    for name in OWN_EVENTS
}


def leaves(value, path=()):
    """Every place in an event's data."""
    yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


PLACES = [(name, path) for name, event in EVENTS.items() for path in leaves(event.get("data", {}))]
others = st.sampled_from(
    [True, False, 0, 1, -1, 1.5, "1", "yes", "true", "", [], {}, ["a"], 10**30]
)


@given(st.sampled_from(PLACES), others)
def test_the_model_takes_nothing_that_the_schema_forbids(place, other):
    name, path = place
    data = replaced(EVENTS[name].get("data", {}), path, other)
    if jsonschema.Draft202012Validator(SCHEMAS[name]).is_valid(data):
        return
    with pytest.raises(ValidationError):
        OWN_EVENTS[name].model_validate(data)


@pytest.mark.parametrize("value", ["true", 1, "yes", 0])
def test_a_dry_run_is_a_truth(value):
    with pytest.raises(ValidationError):
        OWN_EVENTS["dev.knative-lambda.cleanup.v1"].model_validate({"dryRun": value})


def test_a_whole_number_may_be_written_as_a_float():
    spec = EVENTS["dev.knative-lambda.build.start.v1"]["data"] | {"timeoutSeconds": 60.0}
    made = OWN_EVENTS["dev.knative-lambda.build.start.v1"].model_validate(spec)
    assert json.dumps(made.timeout_seconds) == "60"
