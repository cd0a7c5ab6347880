"""Filters, against a reference that says the same in another way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_embedded.eventing.filters import matches, problem, required_values

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/team/app",
    "type": "dev.example.order.created",
    "datacontenttype": "application/json; charset=utf-8",
    "region": "eu",
    "empty": "",
}

CASES = {
    "no filter": ({}, True),
    "an empty filter": ({"filter": {}}, True),
    "an empty list of filters": ({"filters": []}, True),
    "equal": ({"filter": {"attributes": {"region": "eu"}}}, True),
    "all attributes have to be equal": (
        {"filter": {"attributes": {"region": "eu", "type": "other"}}},
        False,
    ),
    "any value": ({"filter": {"attributes": {"region": ""}}}, True),
    "any value of an absent extension": ({"filter": {"attributes": {"zone": ""}}}, False),
    "any value of an absent attribute": ({"filter": {"attributes": {"subject": ""}}}, False),
    "any value of an empty extension": ({"filter": {"attributes": {"empty": ""}}}, False),
    "the media type": ({"filter": {"attributes": {"datamediatype": "application/json"}}}, True),
    "exact": ({"filters": [{"exact": {"region": "eu"}}]}, True),
    "exact, absent": ({"filters": [{"exact": {"zone": "eu"}}]}, False),
    "prefix": ({"filters": [{"prefix": {"type": "dev.example."}}]}, True),
    "prefix, absent": ({"filters": [{"prefix": {"zone": "e"}}]}, False),
    "suffix": ({"filters": [{"suffix": {"type": ".created"}}]}, True),
    "suffix, other": ({"filters": [{"suffix": {"type": ".deleted"}}]}, False),
    "a list is a conjunction": (
        {"filters": [{"exact": {"region": "eu"}}, {"exact": {"region": "us"}}]},
        False,
    ),
    "any": ({"filters": [{"any": [{"exact": {"region": "us"}}, {"suffix": {"id": "1"}}]}]}, True),
    "all": ({"filters": [{"all": [{"exact": {"region": "us"}}, {"suffix": {"id": "1"}}]}]}, False),
    "not": ({"filters": [{"not": {"exact": {"region": "eu"}}}]}, False),
    "not exact passes when absent": ({"filters": [{"not": {"exact": {"zone": "eu"}}}]}, True),
    "filters win over filter": (
        {"filter": {"attributes": {"region": "us"}}, "filters": [{"exact": {"region": "eu"}}]},
        True,
    ),
}


@pytest.mark.parametrize(("spec", "expected"), CASES.values(), ids=CASES.keys())
def test_a_filter_takes_what_knative_takes(spec, expected):
    assert problem(spec) is None
    assert matches(spec, EVENT) is expected


PROBLEMS = {
    "cesql": ({"filters": [{"cesql": "type = 'x'"}]}, "cesql"),
    "cesql within": ({"filters": [{"any": [{"not": {"cesql": "TRUE"}}]}]}, "any[0].not.cesql"),
    "two in one": ({"filters": [{"exact": {"type": "x"}, "prefix": {"type": "x"}}]}, "prefix"),
    "nothing known": ({"filters": [{"regex": {"type": "x"}}]}, "must hold one of"),
    "no list": ({"filters": {"exact": {"type": "x"}}}, "list"),
    "any without list": ({"filters": [{"any": {"exact": {"type": "x"}}}]}, "list"),
    "an empty value": ({"filters": [{"exact": {"type": ""}}]}, "empty value"),
    "no attribute name": ({"filter": {"attributes": {"My-Name": "x"}}}, "My-Name"),
    "a number": ({"filter": {"attributes": {"count": 3}}}, "string"),
    "a text for a filter": ({"filter": "type=x"}, "object"),
    "a text for attributes": ({"filter": {"attributes": "type=x"}}, "map"),
    "a text in the list": ({"filters": ["x"]}, "filters[0]"),
}


@pytest.mark.parametrize(("spec", "expected"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_filter_that_cannot_work_is_named(spec, expected):
    assert expected in problem(spec)


names = st.sampled_from(["type", "subject", "a", "b"])
values = st.sampled_from(["x", "xy", "yx", "y"])
pairs = st.dictionaries(names, values, min_size=1, max_size=2)
expressions = st.recursive(
    st.one_of(*(st.builds(lambda p, d=d: {d: p}, pairs) for d in ("exact", "prefix", "suffix"))),
    lambda inner: st.one_of(
        st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda item: {"not": item}, inner),
    ),
    max_leaves=8,
)
events = st.dictionaries(names, values).map(lambda given: {"type": "x", **given})


def reference(expression, event):
    ((dialect, inner),) = expression.items()
    match dialect:
        case "all":
            return len([item for item in inner if not reference(item, event)]) == 0
        case "any":
            return len([item for item in inner if reference(item, event)]) > 0
        case "not":
            return not reference(inner, event)
    wrong = 0
    for name, value in inner.items():
        actual = event.get(name)
        right = {
            "exact": actual == value,
            "prefix": actual is not None and actual[: len(value)] == value,
            "suffix": actual is not None and actual[::-1][: len(value)] == value[::-1],
        }
        wrong += not right[dialect]
    return wrong == 0


@given(st.lists(expressions, min_size=1, max_size=3), events)
def test_filters_agree_with_the_reference(filters, event):
    expected = all(reference(item, event) for item in filters)

    assert problem({"filters": filters}) is None
    assert matches({"filters": filters}, event) is expected


@given(st.lists(expressions, min_size=1, max_size=3), events)
def test_an_event_that_matches_has_every_required_value(filters, event):
    spec = {"filters": filters}

    if matches(spec, event):
        assert required_values(spec) <= set(event.items())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["exact", "prefix", "any", "all", "not", "cesql", "attributes", "a"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["filter", "filters"]), json_values), events)
def test_any_filter_has_a_problem_or_an_answer(spec, event):
    if problem(spec) is None:
        assert matches(spec, event) in {True, False}
        required_values(spec)
