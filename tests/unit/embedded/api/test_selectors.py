from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.reads.selectors import FieldSelector, LabelSelector


def item(**labels):
    return {"metadata": {"name": "one", "namespace": "default", "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        ("app=a", True),
        ("app = a", True),
        ("app==b", False),
        ("app!=b", True),
        ("other!=b", True),
        ("app", True),
        ("!app", False),
        ("! other", True),
        ("app in (a)", True),
        ("app in (b,c)", False),
        ("app notin (b, c)", True),
        ("other notin (b)", True),
        ("other in (b)", False),
        ("app in (a,b),tier=x", True),
        ("app=a,tier!=x", False),
        ("knative-lambda.dev/function=one", False),
        ("empty=", True),
    ],
)
def test_a_label_selector_selects(selector, selected):
    assert LabelSelector(selector)(item(app="a", tier="x", empty="")) is selected


@pytest.mark.parametrize(
    "selector", ["=", "a in b", "a in (b", "a=b=c", ",", "a,,b", "-a", "a b", "a=ü"]
)
def test_a_label_selector_that_cannot_be_read_is_rejected(selector):
    with pytest.raises(ApiError) as caught:
        LabelSelector(selector)
    assert caught.value.code == 400


@given(st.text(max_size=40))
def test_any_text_selects_or_is_a_bad_request(text):
    try:
        LabelSelector(text)(item(app="a"))
        FieldSelector("Pod", text)(item())
    except ApiError as error:
        assert error.code == 400  # noqa: PT017  # most texts are no selectors


def test_an_object_without_labels_has_none():
    assert LabelSelector("!app")({"metadata": {"name": "one"}})


@pytest.mark.parametrize(
    ("kind", "selector", "selected"),
    [
        ("Job", "metadata.name=one", True),
        ("Job", "metadata.name!=one", False),
        ("Job", "metadata.name==one,metadata.namespace=default", True),
        ("Pod", "status.phase=Running", False),
        ("Pod", "status.phase=", True),
    ],
)
def test_a_field_selector_selects(kind, selector, selected):
    assert FieldSelector(kind, selector)(item()) is selected


@pytest.mark.parametrize("selector", ["status.phase=Running", "spec.x=1", "metadata.name"])
def test_a_field_that_a_kind_does_not_offer_is_rejected(selector):
    with pytest.raises(ApiError):
        FieldSelector("Job", selector)
