from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_embedded.api.patches.apply import ApplyConflictError, apply, merge
from lambda_embedded.api.patches.field_ownership import (
    Owner,
    after_update,
    fields_of,
    read_owners,
    write_owners,
)

KEYS = {"containers": ("name",), "env": ("name",), "finalizers": ()}


def owner(manager, *, operation="Apply", fields=()):
    return Owner(
        manager=manager,
        operation=operation,
        subresource="",
        api_version="v1",
        time="",
        fields=frozenset(fields),
    )


class Applied:
    """An object that managers apply to, one after the other."""

    def __init__(self, value=None, owners=()):
        self.value = value or {}
        self.owners = owners

    def apply(self, manager, intent, *, force=False):
        self.value, self.owners = apply(
            self.value, intent, owners=self.owners, writer=owner(manager), force=force, keys=KEYS
        )
        return self.value

    def update(self, manager, value):
        old, new = fields_of(self.value, KEYS), fields_of(value, KEYS)
        self.owners = after_update(self.owners, owner(manager, operation="Update"), old, new)
        self.value = value

    def owned_by(self, manager):
        return {path for one in self.owners if one.manager == manager for path in one.fields}


@pytest.mark.parametrize(
    ("live", "intent", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"finalizers": ["x"]}, {"finalizers": ["y"]}, {"finalizers": ["y", "x"]}),
        ({"env": [{"name": "a", "value": 1}]}, {"env": []}, {"env": [{"name": "a", "value": 1}]}),
    ],
)
def test_a_merge_lays_the_intent_over_what_is_there(live, intent, merged):
    assert merge(live, intent, KEYS) == merged


def test_items_of_keyed_lists_are_merged_one_by_one():
    live = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1", "x": 1}]}
    intent = {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]}
    assert merge(live, intent, KEYS)["containers"] == [
        {"name": "b", "image": "2", "x": 1},
        {"name": "c"},
        {"name": "a", "image": "1"},
    ]


@pytest.mark.parametrize(
    "items", [[{"name": "a"}, {"name": "a"}], [{"value": 1}], ["text"]], ids=str
)
def test_a_list_whose_items_have_no_single_key_is_replaced_whole(items):
    live = {"env": [{"name": "a", "value": 1}]}
    assert merge(live, {"env": items}, KEYS) == {"env": items}


def test_what_a_manager_omits_is_removed_with_the_maps_that_leaves_empty():
    applied = Applied()
    applied.apply("one", {"spec": {"a": {"b": {"c": 1}}, "d": 2}})
    assert applied.apply("one", {"spec": {"d": 2}}) == {"spec": {"d": 2}}


def test_a_map_that_a_manager_applied_empty_stays():
    applied = Applied()
    applied.apply("one", {"volume": {"emptyDir": {}}, "a": 1})
    assert applied.apply("one", {"volume": {"emptyDir": {}}}) == {"volume": {"emptyDir": {}}}


def test_what_another_manager_owns_too_stays():
    applied = Applied()
    applied.apply("one", {"labels": {"a": "1", "b": "2"}})
    applied.apply("two", {"labels": {"b": "2"}})
    assert applied.apply("one", {}) == {"labels": {"b": "2"}}


def test_an_item_of_a_list_goes_unless_another_manager_owns_in_it():
    applied = Applied()
    applied.apply("one", {"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}]})
    applied.apply("two", {"env": [{"name": "b", "hint": "x"}]})
    assert applied.apply("one", {}) == {"env": [{"name": "b", "hint": "x"}]}


def test_a_change_of_anothers_field_conflicts_and_names_it():
    applied = Applied()
    applied.apply("one", {"spec": {"a": 1, "b": 1}})
    with pytest.raises(ApplyConflictError) as caught:
        applied.apply("two", {"spec": {"a": 2, "b": 1}})
    assert caught.value.fields == (("one", ("f:spec", "f:a")),)
    assert applied.value == {"spec": {"a": 1, "b": 1}}


def test_force_takes_the_field_over():
    applied = Applied()
    applied.apply("one", {"spec": {"a": 1, "b": 1}})
    applied.apply("two", {"spec": {"a": 2}}, force=True)
    assert applied.owned_by("one") == {("f:spec", "f:b")}
    assert applied.apply("one", {}) == {"spec": {"a": 2}}


def test_an_update_takes_over_what_it_changes():
    applied = Applied()
    applied.apply("one", {"spec": {"a": 1, "b": 1}})
    applied.update("editor", {"spec": {"a": 2}})
    assert applied.owned_by("editor") == {("f:spec", "f:a")}
    assert applied.owned_by("one") == set()
    with pytest.raises(ApplyConflictError):
        applied.apply("one", {"spec": {"a": 1}})


def test_an_update_that_changes_nothing_owns_nothing():
    applied = Applied()
    applied.apply("one", {"spec": {"a": 1}})
    before = applied.owners
    applied.update("editor", {"spec": {"a": 1}})
    assert applied.owners == before


def test_a_scalar_that_becomes_a_map_leaves_no_ownership_behind():
    applied = Applied()
    applied.apply("one", {"a": 1})
    applied.apply("one", {"a": {"b": 1}})
    assert applied.owned_by("one") == {("f:a", "f:b")}
    assert applied.apply("one", {"a": 2}) == {"a": 2}


_VALUES = st.recursive(
    st.integers(0, 3) | st.text("ab.", max_size=2),
    lambda below: (
        st.dictionaries(st.sampled_from(["a", "b", ".", "env"]), below, max_size=3)
        | st.lists(below, max_size=2)
    ),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "env", "finalizers"]), _VALUES, max_size=3)


@given(_OBJECTS, _OBJECTS)
def test_applying_over_ones_own_intent_gives_the_new_intent_exactly(first, second):
    applied = Applied()
    applied.apply("one", first)
    applied.apply("one", second)
    assert fields_of(applied.value, KEYS).keys() == fields_of(second, KEYS).keys()


@given(_OBJECTS, _OBJECTS)
def test_applying_twice_is_applying_once(live, intent):
    applied = Applied(live)
    once, owners = applied.apply("one", intent), applied.owners
    assert applied.apply("one", intent) == once
    assert applied.owners == owners


@given(_OBJECTS)
def test_owners_are_written_as_they_are_read(value):
    owners = (owner("one", fields=fields_of(value, KEYS)),) if value else ()
    item = {"metadata": {}}
    write_owners(item, owners)
    assert read_owners(item) == owners
