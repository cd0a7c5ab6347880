"""Routing tables of Brokers and Triggers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_embedded.broker.routing.route import read_broker, read_trigger
from lambda_embedded.broker.routing.routes import Routes
from lambda_embedded.eventing import filters


def trigger(name, *, broker="default", **spec):
    return {
        "metadata": {"namespace": "team", "name": name, "uid": f"uid-{name}"},
        "spec": {"broker": broker, "subscriber": {"uri": "http://f"}, **spec},
    }


def broker(**spec):
    return {"metadata": {"namespace": "team", "name": "default"}, "spec": spec}


def names(routes, attributes):
    return [route.name for route in routes.match("team", "default", attributes)]


def test_a_removed_trigger_gets_nothing_more():
    routes = Routes()
    routes.put_trigger(read_trigger(trigger("a", filter={"attributes": {"type": "x"}})))

    routes.remove_trigger("team", "a")

    assert names(routes, {"type": "x"}) == []
    assert routes.trigger("uid-a") is None


def test_a_changed_trigger_gets_what_it_wants_now():
    routes = Routes()
    routes.put_trigger(read_trigger(trigger("a", filter={"attributes": {"type": "x"}})))

    routes.put_trigger(read_trigger(trigger("a", filter={"attributes": {"type": "y"}})))

    assert names(routes, {"type": "x"}) == []
    assert names(routes, {"type": "y"}) == ["a"]


def test_brokers_of_other_names_and_namespaces_are_apart():
    routes = Routes()
    routes.put_trigger(read_trigger(trigger("a", broker="other")))

    assert names(routes, {"type": "x"}) == []
    assert [route.name for route in routes.match("team", "other", {})] == ["a"]
    assert routes.match("elsewhere", "other", {}) == []


def test_a_trigger_with_a_problem_gets_no_events():
    routes = Routes()
    route = read_trigger(trigger("a", filters=[{"cesql": "TRUE"}]))
    routes.put_trigger(route)

    assert "cesql" in route.problem
    assert names(routes, {"type": "x"}) == []


def test_the_delivery_of_the_trigger_wins_and_the_sink_is_found_apart():
    routes = Routes()
    sink = {"ref": {"kind": "Service", "name": "s"}}
    routes.put_broker(read_broker(broker(delivery={"retry": 7, "deadLetterSink": sink})))
    own = read_trigger(trigger("own", delivery={"retry": 2}))
    none = read_trigger(trigger("none"))

    assert routes.delivery(own).retry == 2
    assert routes.delivery(none).retry == 7
    assert routes.sink(own) == routes.sink(none) == sink


@pytest.mark.parametrize(
    "spec",
    [
        {"broker": None},
        {"subscriber": "http://x"},
        {"delivery": "x"},
        {"delivery": {"retry": "x"}},
        {"delivery": {"deadLetterSink": "x"}},
        {"filter": "x"},
        {"filters": "x"},
    ],
    ids=str,
)
def test_a_spec_that_cannot_be_read_is_a_problem_with_a_name(spec):
    item = trigger("a")
    item["spec"] |= spec

    assert read_trigger(item).problem.startswith("spec.")


def test_a_thousand_triggers_cost_an_event_no_more_than_those_it_may_concern():
    routes = Routes()
    for number in range(1000):
        item = trigger(
            f"t{number}",
            filters=[
                {"exact": {"type": "dev.example.called"}},
                {"exact": {"subject": f"team/{number}"}},
                {"not": {"exact": {"lambdafunction": f"team/{number}"}}},
            ],
        )
        routes.put_trigger(read_trigger(item))
    attributes = {"type": "dev.example.called", "subject": "team/7"}

    index = routes._indexes["team", "default"]

    assert names(routes, attributes) == ["t7"]
    assert len(index.candidates(attributes)) <= 2


pairs = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), min_size=1)
events = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz"))
specs = st.lists(
    st.one_of(
        st.fixed_dictionaries({"exact": pairs}),
        st.just({"prefix": {"a": "x"}}),
        st.just({"not": {"exact": {"b": "y"}}}),
        st.just({"all": [{"exact": {"a": "x"}}, {"any": [{"exact": {"b": "x"}}]}]}),
    ),
    max_size=3,
)


@given(st.lists(specs, max_size=6), events, st.randoms())
def test_the_index_finds_exactly_what_the_filters_take(wanted, attributes, order):
    routes = Routes()
    items = [trigger(f"t{number}", filters=spec) for number, spec in enumerate(wanted)]
    order.shuffle(items)
    for item in items:
        routes.put_trigger(read_trigger(item))

    expected = sorted(
        item["metadata"]["name"] for item in items if filters.matches(item["spec"], attributes)
    )

    assert names(routes, attributes) == expected
