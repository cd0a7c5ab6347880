import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knative_lambda.domain.events import OWN_EVENTS, ObjectReference, reply_id, schema_url

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def test_the_schemas_in_docs_are_those_of_the_models():
    definition = importlib.util.spec_from_file_location("generate", SCHEMAS / "generate.py")
    generate = importlib.util.module_from_spec(definition)
    definition.loader.exec_module(generate)
    written = {file.name: file.read_text() for file in SCHEMAS.glob("*.json")}
    assert written == generate.schemas(), "run `make schemas`"


@pytest.mark.parametrize("event_type", OWN_EVENTS)
def test_a_schema_names_itself_as_events_do(event_type):
    schema = json.loads((SCHEMAS / f"{event_type}.json").read_text())
    assert schema["$id"] == schema_url(event_type)


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_replies_to_different_events_have_different_ids(one, other):
    if not any("\0" in part for part in (*one, *other)):
        assert (reply_id(*one) == reply_id(*other)) == (one == other)


@pytest.mark.parametrize(
    "name",
    ["", "a/b", "../secrets/x", "a?b", "a\nb", "A", "-a", "a%2fb", "\ud800", "a" * 254, 5, None],
)
def test_a_reference_to_what_cannot_be_a_job_is_refused(name):
    with pytest.raises(ValidationError):
        ObjectReference.model_validate({"kind": "Job", "namespace": "builds", "name": name})


@pytest.mark.parametrize(
    "namespace", ["", "a/b", "../a", "a/.", "a\n", "A", "%61", "a?b=", "-a", "a.b", "a" * 64]
)
def test_a_reference_to_what_cannot_be_in_a_namespace_is_refused(namespace):
    """A key of storage that it were part of would be that of something else, or in its way."""
    with pytest.raises(ValidationError):
        ObjectReference.model_validate(
            {"kind": "LambdaFunction", "namespace": namespace, "name": "hello"}
        )
