"""Each main.py under functions-framework: whatever comes in, a Broker can use the answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knative_lambda.domain.events import OWN_EVENTS

TAKEN = {
    "build-start": [
        "dev.knative-lambda.build.start.v1",
        "dev.knative-lambda.rebuild.v1",
        # A build that waits may begin.
        "dev.knative-lambda.build.packaged.v1",
        "dev.knative-lambda.build.failed.v1",
        "dev.knative-lambda.function.deleted.v1",
        "dev.knative-lambda.cleanup.done.v1",
    ],
    "publish": ["dev.knative-lambda.build.packaged.v1", "dev.knative-lambda.build.start.v1"],
    "build-complete": [
        "dev.knative-lambda.build.complete.v1",
        "dev.knative-lambda.build.started.v1",
        "dev.knative-lambda.build.failed.v1",
        "dev.knative-lambda.build.cancel.v1",
        "dev.knative-lambda.build.start.v1",
        "dev.knative.apiserver.ref.update",
    ],
    "delete": ["dev.knative-lambda.delete.v1"],
    "cleanup": ["dev.knative-lambda.cleanup.v1", "dev.knative.sources.ping"],
}
BINARY = [
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-time",
    "ce-subject",
    "content-type",
]
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
# 503 is the refused connection to Kubernetes: the event itself was fine.
FINE = {200, 204, 400, 405, 413, 415, 422, 429, 503}

any_event = settings(max_examples=150, suppress_health_check=list(HealthCheck))
header_values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
times = st.sampled_from(
    [
        "2026-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
        "1970-01-01T00:00:00.000000001Z",
    ]
)
uris = st.sampled_from(["s3://", "file:///", "file://", "https://u:p@h/", "x:", ""])
sources = st.one_of(
    st.builds(lambda head, tail: {"uri": head + tail}, uris, st.text(max_size=30)),
    st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4).map(
        lambda files: {"inline": files}
    ),
    json_values,
)
specs = st.fixed_dictionaries(
    {"source": sources, "runtime": st.sampled_from(["python3.11", "python3.99"])},
    optional={
        "handler": st.text(max_size=20),
        "env": st.lists(
            st.fixed_dictionaries({"name": st.text("ABC_", min_size=1), "value": st.text()}),
            max_size=3,
        ),
        "scale": json_values,
        "subscriptions": st.lists(st.dictionaries(st.text("ab"), st.text()), max_size=2),
    },
)


def checked(answer):
    assert answer.status_code in FINE, answer.get_data(as_text=True)
    if answer.status_code >= 400:
        assert len(answer.data) <= 512
        assert answer.get_json()["reason"]
    return answer


@pytest.mark.parametrize("path", ["/health/liveness", "/health/readiness"])
def test_a_function_is_alive_and_ready(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_nothing_but_a_post_is_an_event(client, method):
    answer = checked(getattr(client, method)("/"))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("name", "status"), [*((name, 415) for name in TAKEN), ("dead-letter", 400)]
)
def test_a_batch_is_refused(applications, name, status):
    client = applications[name].test_client()
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    assert checked(client.post("/", data=b"[]", headers=headers)).status_code == status


@pytest.mark.parametrize("name", TAKEN)
def test_an_event_that_is_too_large_is_refused(applications, name):
    client = applications[name].test_client()
    answer = checked(client.post("/", data=b"x" * (1024 * 1024 + 1), headers=STRUCTURED))
    assert answer.status_code == 413


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS))
@pytest.mark.parametrize("name", TAKEN)
def test_an_event_for_another_function_is_refused(applications, name, event_type):
    if event_type in TAKEN[name]:
        return
    event = {"specversion": "1.0", "id": "1", "source": "/t", "type": event_type}
    client = applications[name].test_client()
    answer = checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))
    assert (answer.status_code, answer.get_json()["field"]) == (400, "type")


@any_event
@given(
    name=st.sampled_from([*sorted(TAKEN), "dead-letter"]),
    headers=st.dictionaries(st.sampled_from([*BINARY, "content-encoding"]), header_values),
    body=st.binary(max_size=300),
)
def test_any_headers_and_bytes_are_answered(applications, name, headers, body):
    checked(applications[name].test_client().post("/", data=body, headers=headers))


@any_event
@given(name=st.sampled_from(sorted(TAKEN)), data=st.data())
def test_any_json_as_data_is_answered(applications, name, data):
    event = {
        "specversion": "1.0",
        "id": data.draw(st.text(min_size=1, max_size=10)),
        "source": "/t",
        "type": data.draw(st.sampled_from(TAKEN[name])),
        "subject": data.draw(st.sampled_from(["default/hello", "no/BODY", "a/b/c", "x"])),
        "time": data.draw(times),
        "data": data.draw(json_values),
    }
    client = applications[name].test_client()
    checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))


@pytest.mark.parametrize("event_type", sorted(OWN_EVENTS))
def test_whatever_could_not_be_delivered_is_kept(applications, event_type):
    event = {"specversion": "1.0", "id": "1", "source": "/t", "type": event_type}
    client = applications["dead-letter"].test_client()
    answer = checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))
    assert (answer.status_code, answer.data) == (204, b"")


@any_event
@given(spec=specs, time=times, id_=st.text(min_size=1, max_size=20))
def test_any_request_is_answered(applications, spec, time, id_):
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": "/t",
        "type": TAKEN["build-start"][0],
        "subject": "default/hello",
        "time": time,
        "data": spec,
    }
    client = applications["build-start"].test_client()
    checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))


@pytest.mark.parametrize("name", TAKEN)
def test_a_function_whose_kubernetes_api_is_down_asks_to_be_called_again(applications, name):
    examples = {
        "build-start": {
            "source": {"inline": {"main.py": "def handler(event): ..."}},
            "runtime": "python3.11",
        },
        "publish": {"buildId": "0" * 64},
        "build-complete": {"buildId": "0" * 64, "digest": f"sha256:{'0' * 64}"},
    }
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/t",
        "type": TAKEN[name][0],
        "subject": "default/hello",
        "time": "2026-01-01T00:00:00Z",
        "data": examples.get(name, {}),
    }
    client = applications[name].test_client()
    answer = checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))
    assert (answer.status_code, answer.get_json()["reason"]) == (503, "PlatformUnavailable")


@pytest.mark.parametrize(
    ("subject", "status", "is_told"),
    [("default/hello", 422, True), ("Not/A/Subject", 400, False), (None, 400, False)],
)
def test_a_rejection_is_told_to_the_namespace_of_its_subject_and_stands_where_it_cannot_be(
    applications, caplog, subject, status, is_told
):
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/t",
        "type": TAKEN["build-start"][0],
        "subject": subject,
        "time": "2026-01-01T00:00:00Z",
        "data": {"source": {"uri": "file:///etc/hostname"}, "runtime": "python3.11"},
    }
    client = applications["build-start"].test_client()
    answer = checked(client.post("/", data=json.dumps(event), headers=STRUCTURED))
    assert answer.status_code == status
    # Its Kubernetes API refuses connections.
    assert ("a rejection could not be recorded" in caplog.text) == is_told
