"""Models, schemas, examples and documentation of the events say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent
from flask import Request
from werkzeug.test import EnvironBuilder

from knative_lambda.domain.events import (
    CLEANUP,
    CLEANUP_DONE,
    OBJECT_EVENTS,
    OWN_EVENTS,
    PING,
    Cleanup,
    ObjectReference,
    schema_url,
)
from knative_lambda.inbound.cloud_events import decode, read_data, read_function

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = {
    file.stem: json.loads(file.read_text())
    for file in sorted((REPOSITORY / "tests" / "events").glob("*.json"))
}
DOCUMENT = (REPOSITORY / "docs" / "EVENT_SCHEMA.md").read_text()
MODELS = {**OWN_EVENTS, "dev.knative.apiserver.ref.update": ObjectReference, PING: Cleanup}


def schema(event_type):
    return json.loads((REPOSITORY / "docs" / "schemas" / f"{event_type}.json").read_text())


def received(headers, body):
    builder = EnvironBuilder(method="POST", headers=headers, data=body)
    request = Request(builder.get_environ())
    builder.close()
    return decode(dict(request.headers), body)


def test_there_is_an_example_of_every_event():
    assert EXAMPLES.keys() == MODELS.keys()


@pytest.mark.parametrize("event_type", EXAMPLES)
@pytest.mark.parametrize("encode", [to_binary, to_structured])
def test_an_example_is_an_event_that_is_taken(event_type, encode):
    example = dict(EXAMPLES[event_type])
    data = example.pop("data")
    event = received(*encode(CloudEvent(example, data)))
    assert (event.id, event.type, event.data) == (example["id"], event_type, data)
    read_data(event, MODELS[event_type])


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS))
def test_an_example_fits_the_schema_it_names(event_type):
    example = EXAMPLES[event_type]
    assert example["dataschema"] == schema_url(event_type)
    jsonschema.Draft202012Validator.check_schema(schema(event_type))
    jsonschema.Draft202012Validator(schema(event_type)).validate(example["data"])


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS))
def test_an_example_is_what_the_model_writes(event_type):
    data = EXAMPLES[event_type]["data"]
    written = OWN_EVENTS[event_type].model_validate(data).to_json()
    assert data.items() <= written.items() or event_type.endswith("build.start.v1")


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS.keys() - {CLEANUP, CLEANUP_DONE}))
def test_the_subject_of_an_example_names_a_lambda(event_type):
    example = EXAMPLES[event_type]
    event = received({"Content-Type": "application/cloudevents+json"}, json.dumps(example).encode())
    assert str(read_function(event)) == "default/hello"


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_the_documentation_shows_the_example(event_type):
    section = DOCUMENT.partition(f"\n### {event_type}\n")[2].partition("\n### ")[0]
    (shown,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert json.loads(shown) == EXAMPLES[event_type]


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS))
def test_the_documentation_names_every_field(event_type):
    section = DOCUMENT.partition(f"\n### {event_type}\n")[2].partition("\n### ")[0]
    for field in schema(event_type).get("properties", {}):
        assert f"`{field}`" in section


def test_the_documentation_knows_no_other_events():
    documented = set(re.findall(r"^### (\S+)$", DOCUMENT, re.MULTILINE))
    assert documented == EXAMPLES.keys()
    assert "dev.knative.apiserver.ref.update" in OBJECT_EVENTS
