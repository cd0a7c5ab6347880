"""What is no event, or no event of ours: refused in words, and the platform is as before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.helpers.http_client import post_event, request
from tests.helpers.lambda_platform import BUILD_START, PYTHON

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

FUNCTIONS = ("build-start", "build-complete", "delete", "cleanup")
TYPES = (
    BUILD_START,
    "dev.knative-lambda.build.complete.v1",
    "dev.knative-lambda.delete.v1",
    "dev.knative-lambda.cleanup.v1",
    "dev.knative.apiserver.ref.update",
)
EVENTS = "/api/v1/namespaces/default/events"
JSON = {"Content-Type": "application/json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": BUILD_START}
BINARY = {f"ce-{name}": value for name, value in EVENT.items()} | JSON
TIMED = BINARY | {"ce-time": "2026-01-15T09:30:00Z", "ce-subject": "default/bad"}
SPEC = {"runtime": PYTHON, "source": {"inline": {"main.py": ""}}}

# Name -> headers and body: none of them is a CloudEvent.
NO_EVENTS: dict[str, tuple[dict[str, str], bytes]] = {
    "nothing": ({}, b""),
    "only JSON": (JSON, b"{}"),
    "no id": ({name: value for name, value in BINARY.items() if name != "ce-id"}, b"{}"),
    "empty id": (BINARY | {"ce-id": ""}, b"{}"),
    "another version": (BINARY | {"ce-specversion": "0.3"}, b"{}"),
    "a time that is none": (BINARY | {"ce-time": "yesterday"}, b"{}"),
    "broken JSON": (STRUCTURED, b'{"specversion": "1.0", "id": '),
    "a list": (STRUCTURED, b"[]"),
    "null": (STRUCTURED, b"null"),
    "deep JSON": (STRUCTURED, b"[" * 100_000),
    "a batch": ({"Content-Type": "application/cloudevents-batch+json"}, b"[]"),
    "not UTF-8": (STRUCTURED, b"\xff\xfe\x00"),
    "numbers for words": (STRUCTURED, json.dumps(EVENT | {"id": 1, "source": {}}).encode()),
    "data twice": (STRUCTURED, json.dumps(EVENT | {"data": {}, "data_base64": "e30="}).encode()),
}
# Name -> headers and data: events, but no request that can be granted.
IMPOSSIBLE_REQUESTS: dict[str, tuple[dict[str, str], object]] = {
    "no subject": ({"ce-time": TIMED["ce-time"]} | BINARY, SPEC),
    "a subject that names nothing": (TIMED | {"ce-subject": "../../etc"}, SPEC),
    "no time": (BINARY | {"ce-subject": "default/bad"}, SPEC),
    "the far future": (TIMED | {"ce-time": "9999-01-01T00:00:00Z"}, SPEC),
    "no data": (TIMED, None),
    "a field of nobody": (TIMED, SPEC | {"colour": "blue"}),
    "an unknown runtime": (TIMED, SPEC | {"runtime": "cobol60"}),
    "a source that leaves": (TIMED, SPEC | {"source": {"inline": {"../main.py": ""}}}),
    "somebody else's source": (TIMED, SPEC | {"source": {"uri": "file:///etc/passwd"}}),
    "no source": (TIMED, SPEC | {"source": {}}),
    "a handler that is none": (TIMED, SPEC | {"handler": "; rm -rf /"}),
    "a subscription to everything": (TIMED, SPEC | {"subscriptions": [{}]}),
    "a field that no option sets": (TIMED, SPEC | {"setFields": ["source.image"]}),
    "a change of nothing": (TIMED, SPEC | {"replaces": "a request that never was"}),
    "a surrogate": (TIMED, SPEC | {"source": {"inline": {"main.py": "\ud800"}}}),
    "NUL": (TIMED, SPEC | {"env": [{"name": "A", "value": "\0"}]}),
}
ABOUT_NO_FUNCTION = {"no subject", "a subject that names nothing"}


def assert_healthy(platform: EmbeddedPlatform, name: str) -> None:
    platform.send_build_start(name, {"main.py": "def handler(event):\n    return 'well'\n"})
    platform.await_phase(name, "Ready")
    assert post_event(platform.url(name), {}, type="t").data == "well"


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_event_is_refused_by_the_broker(platform: EmbeddedPlatform, name: str):
    headers, body = NO_EVENTS[name]
    before = ids_of_events_from_outside(platform)

    answer = platform.post(platform.control_broker, body, headers)

    assert 400 <= answer.status < 500, answer
    assert set(answer.data) <= {"reason", "message", "field"}
    assert ids_of_events_from_outside(platform) <= before


def ids_of_events_from_outside(platform: EmbeddedPlatform) -> set[str]:
    """Its own about Jobs and other functions may come at any time."""
    own = ("/knative-lambda/", platform.api_url)
    everything = (event["attributes"] for event in platform.events())
    return {event["id"] for event in everything if not event["source"].startswith(own)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_event_is_refused_by_every_function(platform: EmbeddedPlatform, function: str):
    for name, (headers, body) in NO_EVENTS.items():
        answer = platform.post(platform.control_url(function), body, headers)

        assert 400 <= answer.status < 500, (name, answer)
        assert answer.status not in {404, 408, 409}, (name, answer)
        assert answer.data["message"], name
        assert len(answer.body) <= 512, name


@pytest.mark.parametrize("name", IMPOSSIBLE_REQUESTS)
def test_a_request_that_cannot_be_granted_is_one_dead_letter_and_told_once(
    platform: EmbeddedPlatform, name: str
):
    headers, data = IMPOSSIBLE_REQUESTS[name]
    identity = name.replace(" ", "-")
    headers = headers | {"ce-id": identity}
    body = b"" if data is None else json.dumps(data).encode()

    direct = platform.post(platform.control_url("build-start"), body, headers)
    assert direct.status in {400, 422}, direct
    assert direct.data["reason"]
    accepted = platform.post(platform.control_broker, body, headers)
    assert accepted.status == 202, accepted
    events = platform.await_settled()

    (event,) = [event for event in events if event["attributes"]["id"] == identity]
    (delivery,) = [each for each in event["triggers"] if each["name"] == "build-start"]
    assert (delivery["state"], delivery["attempts"]) == ("dead", 1)
    assert delivery["status"] == direct.status
    assert platform.record("bad") is None
    told = [each for each in platform.list(EVENTS) if request_id_of(each) == identity]
    assert [each["reason"] for each in told] == [direct.data["reason"]] * len(told)
    assert len(told) == (name not in ABOUT_NO_FUNCTION)


def request_id_of(event: dict[str, Any]) -> str:
    return event["metadata"]["annotations"]["knative-lambda.dev/wish-id"]


def test_an_event_over_the_limit_is_refused_by_all(platform: EmbeddedPlatform):
    body = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    urls = [platform.control_url(function) for function in FUNCTIONS]
    for url in (platform.control_broker, *urls):
        answer = platform.post(url, body, TIMED)
        assert answer.status == 413, (url, answer)
        assert answer.data["reason"] == "EventTooLarge"


def test_an_unknown_broker_is_not_found(platform: EmbeddedPlatform):
    url = platform.tenant_broker.replace("/default/default", "/default/nobody")
    assert post_event(url, {}, headers=platform.authorization, type="t").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(platform: EmbeddedPlatform, method: str):
    for url in (platform.control_broker, platform.control_url("build-start")):
        assert request(method, url, headers=platform.authorization).status == 405


_texts = st.text(max_size=40)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(_texts, children, max_size=4),
    max_leaves=12,
)
_headers = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40).map(
    str.strip
)
_bodies = st.one_of(
    st.binary(max_size=200),
    _json.map(lambda data: json.dumps(data).encode()),
    st.fixed_dictionaries({}, optional=dict.fromkeys(SPEC, _json)).map(
        lambda data: json.dumps(data).encode()
    ),
)


@settings(
    max_examples=200,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    function=st.sampled_from(FUNCTIONS),
    attributes=st.fixed_dictionaries(
        {"ce-type": st.sampled_from(TYPES), "ce-subject": _headers, "ce-id": _headers}
    ),
    body=_bodies,
    structured=st.booleans(),
)
def test_no_input_makes_a_function_answer_that_it_is_our_fault(
    platform: EmbeddedPlatform,
    function: str,
    attributes: dict[str, str],
    body: bytes,
    structured: bool,
):
    headers = STRUCTURED if structured else TIMED | attributes
    for url in (platform.control_url(function), platform.tenant_broker):
        answer = platform.post(url, body, headers)
        assert answer.status < 500, (url, headers, body, answer)


def test_after_all_that_the_platform_is_well(platform: EmbeddedPlatform, unique_name: str):
    for headers, body in NO_EVENTS.values():
        platform.post(platform.control_broker, body, headers)
        platform.post(platform.control_url("build-start"), body, headers)
    assert_healthy(platform, unique_name)
