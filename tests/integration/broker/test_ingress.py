"""What the ingress takes and what it refuses."""

from __future__ import annotations

import gzip
import json
from io import BytesIO

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from multidict import CIMultiDict

from tests.helpers.cloudevent_bodies import EVENT, PACKED
from tests.integration.broker.helpers.running_broker import broker_object, trigger_object

VALID = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "greeting"}
BINARY = {f"ce-{name}": value for name, value in VALID.items()}
STRUCTURED = {"content-type": "application/cloudevents+json"}


def structured(**changes):
    return json.dumps({**VALID, **changes}).encode()


async def test_binary_and_structured_events_mean_the_same(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(), trigger_object("t", function.url))
    extended = {**BINARY, "ce-subject": "a%20b", "ce-count": "3", "ce-time": "2026-01-02T03:04:05Z"}

    binary = await platform.post(
        {**extended, "content-type": "application/json; charset=utf-8"}, b'{"a":"\xc3\xa4"}'
    )
    body = structured(
        subject="a b",
        count=3,
        time="2026-01-02T03:04:05Z",
        datacontenttype="application/json; charset=utf-8",
        data={"a": "ä"},
    )
    other = await platform.post(STRUCTURED, body)
    await platform.settled()

    assert binary[0] == other[0] == 202
    first, second = function.requests
    names = [name for name in first[0] if name.startswith("ce-")] + ["content-type"]
    assert [first[0][name] for name in names] == [second[0][name] for name in names]
    assert json.loads(first[1]) == json.loads(second[1]) == {"a": "ä"}
    assert first[0]["ce-subject"] == "a%20b"


async def test_data_in_base64_arrives_as_bytes(platform, subscribe):
    function = await subscribe()
    platform.apply(broker_object(), trigger_object("t", function.url))

    await platform.post(STRUCTURED, structured(data_base64="AAH/", datacontenttype="image/png"))
    await platform.settled()

    headers, body = function.requests[0]
    assert body == b"\x00\x01\xff"
    assert headers["content-type"] == "image/png"


REFUSED = {
    "no event": ({}, b"{}", 400),
    "an id that is empty": ({**BINARY, "ce-id": ""}, b"", 400),
    "no type": ({k: v for k, v in BINARY.items() if k != "ce-type"}, b"", 400),
    "version 0.3": ({**BINARY, "ce-specversion": "0.3"}, b"", 400),
    "a time without a zone": ({**BINARY, "ce-time": "2026-01-01T00:00:00"}, b"", 400),
    "a time in February's end": ({**BINARY, "ce-time": "2026-02-30T00:00:00Z"}, b"", 400),
    "a name with a dash": ({**BINARY, "ce-my-name": "x"}, b"", 400),
    "an encoding that is no UTF-8": ({**BINARY, "ce-subject": "%ff"}, b"", 400),
    "a batch": ({"content-type": "application/cloudevents-batch+json"}, b"[]", 415),
    "another format": ({"content-type": "application/cloudevents+avro"}, b"", 415),
    "no JSON": (STRUCTURED, b"{", 400),
    "no object": (STRUCTURED, b"[]", 400),
    "not a number": (STRUCTURED, b'{"id": NaN}', 400),
    "a number without end": (STRUCTURED, structured()[:-1] + b',"data":1e999}', 400),
    "nesting without end": (STRUCTURED, b"[" * 100_000, 400),
    "an upper-case name": (STRUCTURED, structured(myName="x"), 400),
    "an attribute that is an object": (STRUCTURED, structured(subject={}), 400),
    "a number over 32 bits": (STRUCTURED, structured(count=2**31), 400),
    "data twice": (STRUCTURED, structured(data=1, data_base64="AA=="), 400),
    "no base64": (STRUCTURED, structured(data_base64="?"), 400),
    "attributes without end": (STRUCTURED, structured(**{f"e{n}": 1 for n in range(253)}), 400),
    "an attribute without end": (STRUCTURED, structured(datacontenttype="x" * 900_000), 400),
    "an unpaired surrogate": (STRUCTURED, structured(subject="\ud800"), 400),
}


@pytest.mark.parametrize(("headers", "body", "expected"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_valid_event_is_refused_with_a_reason(platform, headers, body, expected):
    platform.apply(broker_object())

    status, answer = await platform.post(headers, body)

    assert status == expected
    assert {"reason", "message"} <= json.loads(answer).keys()
    assert len(answer) <= 512
    assert platform.broker.journal() == []


@pytest.mark.parametrize("name", PACKED)
async def test_a_packed_body_is_unpacked_or_refused_with_a_reason(platform, subscribe, name):
    function = await subscribe()
    platform.apply(broker_object(), trigger_object("t", function.url))
    encoding, body, refused = PACKED[name]

    status, answer = await platform.post({**EVENT, "content-encoding": encoding}, body)

    if refused is not None:
        assert (status, json.loads(answer)["field"]) == (refused, "Content-Encoding")
        assert platform.broker.journal() == []
        return
    await platform.settled()
    headers, seen = function.requests[0]
    assert (status, seen, "content-encoding" in headers) == (202, b"{}", False)


async def test_the_body_limit_counts_what_is_unpacked_and_includes_its_last_byte(platform):
    platform.apply(broker_object())
    limit = platform.settings.body_limit_bytes

    largest, _ = await platform.post(BINARY, b"x" * limit)
    larger, _ = await platform.post(BINARY, BytesIO(b"x" * (limit + 1)))
    packed, _ = await platform.post(
        {**BINARY, "content-encoding": "gzip"}, gzip.compress(b"x" * (limit + 1))
    )

    assert (largest, larger, packed) == (202, 413, 413)


@pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
async def test_two_headers_of_an_attribute_are_refused(platform, name):
    platform.apply(broker_object())

    headers = CIMultiDict({**BINARY, "ce-subject": "s"})
    headers.add(f"ce-{name}", headers[f"ce-{name}"])
    status, answer = await platform.post(headers)

    assert (status, json.loads(answer)["field"]) == (400, name)


@pytest.mark.parametrize("sent", ["a%20b", '"a b"', "a b"])
async def test_one_identity_is_read_from_every_form(platform, sent):
    platform.apply(broker_object())

    await platform.post({**BINARY, "ce-id": sent})
    await platform.post(STRUCTURED, structured(id="a b"))

    assert {entry["attributes"]["id"] for entry in platform.broker.journal()} == {"a b"}


async def test_an_event_over_the_limit_is_413_in_every_try(platform):
    platform.apply(broker_object())
    body = b" " * (8 * platform.settings.body_limit_bytes)

    statuses = [(await platform.post(BINARY, BytesIO(body)))[0] for _ in range(10)]

    assert statuses == [413] * 10


async def test_an_unknown_broker_is_not_found(platform):
    status, answer = await platform.post(BINARY)

    assert status == 404
    assert json.loads(answer)["reason"] == "UnknownBroker"


async def test_health_needs_no_broker(platform):
    for path in ("/health", "/health/liveness", "/health/readiness"):
        async with platform.session.get(platform.ingress.make_url(path)) as response:
            assert response.status == 200


async def test_journal_and_dead_letters_can_be_read_on_this_machine(platform, subscribe):
    function = await subscribe(lambda *_: web.Response(status=400))
    sink = {"ref": {"kind": "Service", "name": "x"}}
    platform.apply(
        broker_object(delivery={"deadLetterSink": sink}), trigger_object("t", function.url)
    )
    await platform.send("1", subject="a/b")
    await platform.send("2", subject="a/c")
    await platform.settled()

    async with platform.session.get(
        platform.ingress.make_url("/-/events").with_query(subject="a/b", limit="5")
    ) as response:
        events = (await response.json())["events"]
    async with platform.session.get(
        platform.ingress.make_url("/-/dead-letters").with_query(subject="a/c")
    ) as response:
        letters = (await response.json())["deadLetters"]

    assert [event["attributes"]["id"] for event in events] == ["1"]
    assert [letter["event"]["id"] for letter in letters] == ["2"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[x"])
async def test_the_journal_is_closed_to_foreign_host_names(platform, host):
    async with platform.session.get(
        platform.ingress.make_url("/-/events"), headers={"Host": host}
    ) as response:
        assert response.status in {400, 403}


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", "9" * 5000])
async def test_a_limit_that_is_no_page_is_refused(platform, limit):
    async with platform.session.get(
        platform.ingress.make_url("/-/events").with_query(limit=limit)
    ) as response:
        assert response.status == 400


header_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
fields = st.dictionaries(
    st.sampled_from([*VALID, "subject", "time", "data", "data_base64", "Upper", "my-name", "ext"]),
    json_values,
)


@pytest.fixture
def no_server_error(platform):
    platform.apply(broker_object())

    async def post(headers, body):
        status, answer = await platform.post(headers, body)
        assert status < 500, answer
        assert status == 202 or {"reason", "message"} <= json.loads(answer).keys()

    return post


@profile(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.binary(max_size=200) | fields.map(lambda value: json.dumps({**VALID, **value}).encode())
)
async def test_no_structured_body_is_a_server_error(no_server_error, body):
    await no_server_error(STRUCTURED, body)


@profile(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [*BINARY, "ce-subject", "ce-time", "ce-x", "ce-x-y", "ce-", "content-type"]
        ),
        header_text,
    ),
    whole=st.booleans(),
    body=st.binary(max_size=50),
)
async def test_no_binary_event_is_a_server_error(no_server_error, headers, whole, body):
    await no_server_error({**BINARY, **headers} if whole else headers, body)
