from __future__ import annotations

import base64
import json

import pytest

from knative_lambda.inbound.dead_letters import MAX_BODY_BYTES, DeadLetterEndpoint
from knative_lambda.use_cases.keep_dead_letter import KeepDeadLetter
from tests.helpers.control_plane import STORAGE
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.fakes_platform import FixedClock
from tests.unit.inbound.helpers.requests import BINARY, STRUCTURED, request

ERROR = {
    "ce-knativeerrordest": "http://hello.shop.svc.cluster.local",
    "ce-knativeerrorcode": "422",
    "ce-knativeerrordata": base64.b64encode(b'{"reason": "No"}').decode(),
}


@pytest.fixture
def storage():
    return InMemoryObjectStorage()


@pytest.fixture
def send(storage):
    keep = KeepDeadLetter(storage=storage, clock=FixedClock(), storage_url=STORAGE)
    endpoint = DeadLetterEndpoint(keep=lambda: keep)

    def answer(made):
        body, status, _ = endpoint(made)
        return int(status), body

    return answer


def stored(storage):
    ((content, _),) = storage.objects.values()
    return json.loads(content)


def test_a_letter_is_kept_as_it_came_with_what_went_wrong(send, storage):
    assert send(request(BINARY | ERROR | {"ce-correlationid": "c"}, b'{"a": 1}')) == (204, b"")
    document = stored(storage)
    assert document["headers"] == BINARY | {"ce-correlationid": "c"}
    assert document["body"] == '{"a": 1}'
    assert (document["namespace"], document["status"]) == ("shop", "422")
    assert document["error"] == '{"reason": "No"}'


@pytest.mark.parametrize("sent", ["a%20b", '"a b"', "a b"])
def test_a_letter_has_the_identity_that_its_sender_means(send, storage, sent):
    assert send(request(BINARY | {"ce-id": sent}))[0] == 204
    assert stored(storage)["id"] == "a b"


def test_a_letter_that_is_no_text_is_kept_too(send, storage):
    assert send(request(BINARY | {"ce-id": "%ff"}))[0] == 204
    assert stored(storage)["id"] == "%ff"


def test_a_structured_letter_is_read_from_its_body(send, storage):
    event = {"id": "7", "source": "/s", "type": "t", "knativeerrorcode": 500}
    assert send(request(STRUCTURED, json.dumps(event).encode()))[0] == 204
    document = stored(storage)
    assert (document["id"], document["status"], document["error"]) == ("7", "500", "")
    assert json.loads(document["body"]) == event


@pytest.mark.parametrize("data", ["not base64!", base64.b64encode(b"\xff").decode()])
def test_what_was_said_is_kept_even_where_it_is_no_base64(send, storage, data):
    send(request(BINARY | {"ce-knativeerrordata": data}))
    assert stored(storage)["error"] == data


def test_other_headers_are_not_kept(send, storage):
    send(request(BINARY | {"Authorization": "Bearer secret", "Cookie": "c"}))
    assert "secret" not in json.dumps(stored(storage))


def test_a_broken_event_is_kept_too(send, storage):
    broken = {"ce-specversion": "0.1", "ce-time": "yesterday", "content-type": "text/plain"}
    assert send(request(BINARY | broken, b"\xff\xfe"))[0] == 204
    assert "bodyBase64" in stored(storage)


def test_of_a_body_that_is_too_long_the_beginning_is_kept(send, storage):
    assert send(request(BINARY, b"x" * (MAX_BODY_BYTES + 2)))[0] == 204
    document = stored(storage)
    assert len(document["body"]) == MAX_BODY_BYTES
    assert document["bodyIsCut"] is True


@pytest.mark.parametrize(
    "made",
    [
        request({}),
        request({"ce-id": "1", "ce-source": "/s"}),
        request(BINARY | {"ce-id": ""}),
        request(STRUCTURED, b"[]"),
        request(STRUCTURED, b"{"),
        request(STRUCTURED, b'{"id": {}, "source": "/s", "type": "t"}'),
    ],
    ids=["nothing", "no type", "empty id", "a list", "no JSON", "an id that is no text"],
)
def test_what_no_broker_sends_is_refused(send, storage, made):
    status, body = send(made)
    assert (status, json.loads(body)["reason"]) == (400, "InvalidEvent")
    assert not storage.objects


def test_health_checks_and_other_methods_are_answered(send):
    assert send(request(path="/health/readiness", method="GET"))[0] == 200
    assert send(request(method="GET"))[0] == 405


def test_a_letter_that_cannot_be_stored_now_is_asked_for_again(send, storage, monkeypatch):
    monkeypatch.setattr(storage, "write", lambda uri, source: 1 / 0)
    assert send(request(BINARY))[0] == 500
