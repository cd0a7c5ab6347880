"""One message is the same event, or is refused for the same field, whatever reads it."""

from __future__ import annotations

import pytest

from tests.unit.receivers.helpers.cloudevent_vectors import DATA, TEXTS, VECTORS
from tests.unit.receivers.helpers.receivers import data_message

RECEIVERS = ["broker", "control", "python", "node"]
HANDLERS = ["control", "python", "node"]
RUNTIMES = ["python", "node"]

# What WSGI keeps from a function: names with an underscore, and whether a value was two.
_UNSEEN_BY_CONTROL = {
    "binary: a name with an underscore",
    "binary: the type of the data is the Content-Type's to say",
}
# Control functions know no other than these.
_ATTRIBUTES_OF_CONTROL = {"time", "datacontenttype", "dataschema"}


@pytest.mark.parametrize("receiver", RECEIVERS, indirect=True)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_message_is_this_event_or_refused_by_400(receiver, vector):
    if type(receiver).__name__ == "ControlFunction" and vector.name in _UNSEEN_BY_CONTROL:
        return
    seen, field = receiver(vector.headers, vector.body)

    if vector.seen is None:
        assert seen is None
        assert vector.field in (None, field)
        return
    assert seen is not None, field
    expected = vector.seen
    if type(receiver).__name__ == "ControlFunction":
        expected = {k: v for k, v in expected.items() if k not in _ATTRIBUTES_OF_CONTROL}
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize("receiver", HANDLERS, indirect=True)
@pytest.mark.parametrize("data", DATA, ids=lambda data: data.name)
def test_data_is_the_same_in_every_language(receiver, data):
    _check(receiver, data)


@pytest.mark.parametrize("receiver", RUNTIMES, indirect=True)
@pytest.mark.parametrize("data", TEXTS, ids=lambda data: data.name)
def test_text_is_the_same_in_every_language(receiver, data):
    _check(receiver, data)


def _check(receiver, data):
    headers, body = data_message(data)
    seen, field = receiver(headers, body)
    if data.is_refused:
        assert (seen, field) == (None, "data")
    else:
        assert (receiver.data(headers, body), type(receiver.data(headers, body))) == (
            data.seen,
            type(data.seen),
        )
