from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.errors import SourceNotFoundError
from knative_lambda.domain.events import Event
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests.rejection_event import rejection_event, rejection_event_name

HELLO = FunctionId("default", "hello")
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
EVENT = Event(id="1", source="/test", type="t", extensions={"correlationid": "c-1"})


def told(message="nothing there", *, field="source.uri", event=EVENT, uid="uid-1"):
    return rejection_event(
        HELLO, event, SourceNotFoundError(message, field=field), uid=uid, at=NOON
    )


def name(function=HELLO, source="/test", event_id="1"):
    return rejection_event_name(function, source=source, event_id=event_id)


def test_it_is_a_warning_about_the_record_with_reason_field_and_message():
    made = told()
    assert (made["apiVersion"], made["kind"], made["type"]) == ("v1", "Event", "Warning")
    assert made["involvedObject"] == {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "namespace": "default",
        "name": "hello",
        "uid": "uid-1",
    }
    assert made["reason"] == "SourceNotFound"
    assert made["message"] == "source.uri: nothing there"
    assert made["source"]["component"] == made["reportingComponent"] == "knative-lambda/build-start"
    assert made["firstTimestamp"] == made["lastTimestamp"] == "2026-01-31T12:00:00Z"


def test_a_lambda_that_has_no_record_is_named_all_the_same():
    assert told(uid=None)["involvedObject"].keys() == {"apiVersion", "kind", "namespace", "name"}


def test_it_says_which_event_it_is_about():
    assert told()["metadata"] == {
        "name": name(),
        "namespace": "default",
        "annotations": {
            "knative-lambda.dev/wish-id": "1",
            "knative-lambda.dev/correlation-id": "c-1",
            "knative-lambda.dev/field": "source.uri",
        },
    }


def test_an_error_about_no_field_names_none():
    made = told(field=None)
    assert made["message"] == "nothing there"
    assert "knative-lambda.dev/field" not in made["metadata"]["annotations"]


@pytest.mark.parametrize(
    "other",
    [
        {"function": FunctionId("default", "other")},
        {"function": FunctionId("other", "hello")},
        {"source": "/other"},
        {"event_id": "2"},
    ],
    ids=str,
)
def test_another_lambda_or_another_event_is_another_name(other):
    assert name() == name()
    assert name(**other) != name()


@given(st.text(st.characters(exclude_categories=()), min_size=300, max_size=2000))
def test_a_long_message_is_cut_between_two_characters(message):
    text = told(message, field=None)["message"]
    assert len(text.encode()) <= 1024
    assert message.encode(errors="replace").decode().startswith(text)
    assert len(text.encode()) > 1020 or len(text) == len(message)
