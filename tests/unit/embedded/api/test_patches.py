from __future__ import annotations

import pytest

from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.patches.json_patches import json_patch, merge_patch


@pytest.mark.parametrize(
    ("value", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7396_says(value, patch, result):
    assert merge_patch(value, patch) == result


@pytest.mark.parametrize(
    ("value", "operation", "result"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a": 1}, {"op": "replace", "path": "/a", "value": 2}, {"a": 2}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/1", "value": 3}, {"a": [1, 3]}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/b"}, {"b": 1}),
        ({"a": 1}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": 1, "b": 1}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1}, {"a": 1}),
        ({"a/b": {"c~d": 1}}, {"op": "remove", "path": "/a~1b/c~0d"}, {"a/b": {}}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 1}}, {"b": 1}),
    ],
)
def test_a_json_patch_does_what_rfc_6902_says(value, operation, result):
    before = repr(value)
    assert json_patch(value, [operation]) == result
    assert repr(value) == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "add", "path": "/a/0/x", "value": 1},
        {"op": "remove", "path": "/a/-"},
        {"op": "test", "path": "/a", "value": 1},
        {"op": "jump", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/a"},
        {"path": "/a"},
        {"op": "add", "path": 5, "value": 1},
        5,
    ],
)
def test_an_operation_that_does_not_fit_is_rejected(operation):
    with pytest.raises(ApiError) as caught:
        json_patch({"a": [1]}, [operation])
    assert caught.value.code == 422


def test_a_json_patch_must_be_a_list():
    with pytest.raises(ApiError) as caught:
        json_patch({}, {})
    assert caught.value.code == 400


def test_nothing_is_left_of_an_object_that_is_removed():
    assert json_patch({"a": 1}, [{"op": "remove", "path": ""}]) is None


def test_a_removed_object_can_be_added_again():
    again = {"op": "add", "path": "", "value": {"b": 1}}
    assert json_patch({"a": 1}, [{"op": "remove", "path": ""}, again]) == {"b": 1}


def test_copies_of_copies_are_bounded():
    double = [{"op": "copy", "from": "/a", "path": f"/a/{index}"} for index in range(1000)]
    with pytest.raises(ApiError, match="copies at most") as caught:
        json_patch({"a": {"x": "y" * 1000}}, double)
    assert caught.value.code == 413


def test_copies_that_nest_without_end_are_rejected():
    for times, code in ((5000, 422), (100, 400)):
        with pytest.raises(ApiError) as caught:
            json_patch({}, [{"op": "copy", "from": "", "path": "/a"}] * times)
        assert caught.value.code == code


def test_a_few_large_copies_are_taken():
    copies = [{"op": "copy", "from": "/a", "path": f"/b{index}"} for index in range(3)]
    assert len(json_patch({"a": "y" * 1_000_000}, copies)) == 4


def test_the_number_of_operations_is_bounded():
    with pytest.raises(ApiError) as caught:
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 1}] * 10_001)
    assert caught.value.code == 413
