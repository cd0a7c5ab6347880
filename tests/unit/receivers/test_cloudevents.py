"""One message is the same event, or is refused for the same field, whatever reads it."""

from __future__ import annotations

import pytest

from tests.unit.receivers.helpers.cloudevent_vectors import DATA, TEXTS, VECTORS
from tests.unit.receivers.helpers.receivers import data_message

DOORS = ["broker", "control", "python", "node"]
HANDLERS = ["control", "python", "node"]
RUNTIMES = ["python", "node"]

# What WSGI keeps from a function: names with an underscore, and whether a value was two.
_UNSEEN_BY_CONTROL = {
    "binary: a name with an underscore",
    "binary: the type of the data is the Content-Type's to say",
}
# Control functions know no other than these.
_ATTRIBUTES_OF_CONTROL = {"time", "datacontenttype", "dataschema"}


@pytest.mark.parametrize("door", DOORS, indirect=True)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_message_is_this_event_or_refused_by_400(door, vector):
    if type(door).__name__ == "ControlFunction" and vector.name in _UNSEEN_BY_CONTROL:
        return
    seen, field = door(vector.headers, vector.body)

    if vector.seen is None:
        assert seen is None
        assert vector.field in (None, field)
        return
    assert seen is not None, field
    expected = vector.seen
    if type(door).__name__ == "ControlFunction":
        expected = {k: v for k, v in expected.items() if k not in _ATTRIBUTES_OF_CONTROL}
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize("door", HANDLERS, indirect=True)
@pytest.mark.parametrize("data", DATA, ids=lambda data: data.name)
def test_data_is_the_same_in_every_language(door, data):
    _check(door, data)


@pytest.mark.parametrize("door", RUNTIMES, indirect=True)
@pytest.mark.parametrize("data", TEXTS, ids=lambda data: data.name)
def test_text_is_the_same_in_every_language(door, data):
    _check(door, data)


def _check(door, data):
    headers, body = data_message(data)
    seen, field = door(headers, body)
    if data.is_refused:
        assert (seen, field) == (None, "data")
    else:
        assert (door.data(headers, body), type(door.data(headers, body))) == (
            data.seen,
            type(data.seen),
        )
