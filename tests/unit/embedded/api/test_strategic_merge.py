"""Strategic merge patches, by the rules of Kubernetes' own types."""

from __future__ import annotations

import pytest

from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.patches.strategic_merge import strategic_merge

POD = "io.k8s.api.core.v1.Pod"
ACCOUNT = "io.k8s.api.core.v1.ServiceAccount"


def _containers(*items):
    return {"spec": {"containers": list(items)}}


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [
        ({"name": "a", "image": "1"}, [{"name": "a", "image": "2"}], [{"name": "a", "image": "2"}]),
        ({"name": "a"}, [{"name": "b"}], [{"name": "a"}, {"name": "b"}]),
        ({"name": "a"}, [{"name": "a", "$patch": "delete"}], []),
        ({"name": "a"}, [{"$patch": "replace"}, {"name": "b"}], [{"name": "b"}]),
        ({"name": "a", "args": ["1", "2"]}, [{"name": "a", "args": ["3"]}],
         [{"name": "a", "args": ["3"]}]),
        ({"name": "a", "tty": True}, [{"name": "a", "tty": None}], [{"name": "a"}]),
        ({"name": "a", "env": [{"name": "X", "value": "1"}]},
         [{"name": "a", "env": [{"name": "Y", "value": "2"}]}],
         [{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}]),
        ({"name": "a", "resources": {"limits": {"cpu": "1"}}},
         [{"name": "a", "resources": {"limits": {"memory": "1Gi"}}}],
         [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]),
    ],
    ids=["change", "add", "delete", "replace", "plain-list", "null", "nested", "map"],
)  # fmt: skip
def test_items_are_merged_by_their_key(live, patch, result):
    assert strategic_merge(_containers(live), _containers(*patch), POD) == _containers(*result)


def test_the_order_that_a_patch_asks_for_is_kept():
    live = {"secrets": [{"name": "a"}, {"name": "b"}, {"name": "other"}]}
    order = [{"name": "b"}, {"name": "c"}, {"name": "a"}]
    patch = {"$setElementOrder/secrets": order, "secrets": [{"name": "c"}]}
    found = [item["name"] for item in strategic_merge(live, patch, ACCOUNT)["secrets"]]
    assert found == ["b", "c", "a", "other"]


def test_values_of_a_set_are_added_and_deleted():
    live = {"metadata": {"finalizers": ["a", "b"]}}
    patch = {"metadata": {"finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"]}}
    merged = strategic_merge(live, patch, ACCOUNT)
    assert merged == {"metadata": {"finalizers": ["b", "c"]}}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ({"metadata": {"labels": {"$patch": "replace", "b": "2"}}}, {"b": "2"}),
        ({"metadata": {"labels": {"$patch": "delete"}}}, {}),
        ({"metadata": {"labels": {"$retainKeys": ["c"], "c": "3"}}}, {"c": "3"}),
        ({"metadata": {"labels": {"$retainKeys": ["c", {}, [5]], "c": "3"}}}, {"c": "3"}),
        ({"metadata": {"labels": {"a": None, "b": "2"}}}, {"b": "2"}),
    ],
)
def test_maps_are_replaced_deleted_or_cut_down(patch, result):
    merged = strategic_merge({"metadata": {"labels": {"a": "1"}}}, patch, ACCOUNT)
    assert merged["metadata"]["labels"] == result


@pytest.mark.parametrize(
    "patch",
    [[], 5, _containers({"image": "x"}), _containers(5), {"$retainKeys": 5},
     {"metadata": {"$deleteFromPrimitiveList/finalizers": 1}},
     {"spec": {"containers": [], "$setElementOrder/containers": 1}}],
)  # fmt: skip
def test_a_patch_that_breaks_the_rules_is_400(patch):
    with pytest.raises(ApiError) as caught:
        strategic_merge(_containers({"name": "a"}), patch, POD)
    assert caught.value.code == 400


def test_what_is_stored_is_not_changed():
    live = _containers({"name": "a", "env": [{"name": "X"}]})
    strategic_merge(live, _containers({"name": "a", "env": [{"name": "Y"}]}), POD)
    assert live == _containers({"name": "a", "env": [{"name": "X"}]})
