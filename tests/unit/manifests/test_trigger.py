from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.manifests import labels
from knative_lambda.manifests.trigger import (
    subscriptions_trigger,
    target_trigger,
    target_trigger_name,
)
from tests.helpers.deployments import deployment

ONE = {"type": "com.example.one", "source": "/a"}
OTHER = {"type": "com.example.other"}


def trigger_of(*subscriptions, broker="default", **changes):
    deployed = deployment(subscriptions=list(subscriptions), **changes)
    return subscriptions_trigger(deployed, broker=broker)


def name_of(trigger):
    return trigger["metadata"]["name"]


def test_a_lambda_that_subscribes_to_nothing_has_no_trigger():
    assert trigger_of() is None


def test_a_trigger_takes_what_was_subscribed_to_and_never_the_lambdas_own_replies():
    trigger = trigger_of(ONE)
    assert trigger["spec"]["broker"] == "default"
    assert trigger["spec"]["filters"] == [
        {"exact": ONE},
        {"not": {"exact": {labels.LAMBDA_EXTENSION: "default/hello"}}},
        {"not": {"prefix": {labels.TARGET_EXTENSION: "/"}}},
    ]


def test_a_trigger_leads_to_the_lambdas_service_and_goes_with_its_record():
    trigger = trigger_of(ONE)
    ref = trigger["spec"]["subscriber"]["ref"]
    assert (ref["kind"], ref["namespace"], ref["name"]) == ("Service", "default", "hello")
    assert trigger["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    assert trigger["metadata"]["labels"][labels.FUNCTION_NAME] == "hello"


def test_the_trigger_of_what_is_for_one_lambda_alone_takes_nothing_else():
    function = deployment().function
    trigger = target_trigger(function, "uid-1", broker="default")
    assert trigger["metadata"]["name"] == target_trigger_name(function, broker="default")
    assert trigger["spec"]["filters"] == [
        {"exact": {labels.TARGET_EXTENSION: "/default/hello"}},
        {"not": {"exact": {labels.LAMBDA_EXTENSION: "default/hello"}}},
    ]
    assert trigger["spec"]["subscriber"] == trigger_of(ONE)["spec"]["subscriber"]


def test_that_trigger_goes_with_the_record_and_asks_for_no_right_on_it():
    trigger = target_trigger(deployment().function, "uid-1", broker="default")
    (owner,) = trigger["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (
        "uid-1",
        False,
        False,
    )
    assert trigger["metadata"]["labels"] == trigger_of(ONE)["metadata"]["labels"]


def test_an_event_that_any_of_several_subscriptions_asks_for_passes_one_trigger():
    trigger = trigger_of(ONE, OTHER)
    assert trigger["spec"]["filters"] == [
        {"any": [{"exact": ONE}, {"exact": OTHER}]},
        *trigger_of(ONE)["spec"]["filters"][1:],
    ]


def test_the_same_subscription_counts_once_however_it_is_written():
    again = dict(reversed(ONE.items()))
    assert trigger_of(ONE, again) == trigger_of(ONE) == trigger_of(again)


def test_the_order_of_subscriptions_does_not_matter():
    assert trigger_of(ONE, OTHER) == trigger_of(OTHER, ONE)


def test_other_subscriptions_change_the_trigger_and_another_broker_makes_another():
    assert name_of(trigger_of(ONE)) == name_of(trigger_of(OTHER)) == name_of(trigger_of(ONE, OTHER))
    assert name_of(trigger_of(ONE)) != name_of(trigger_of(ONE, broker="other"))


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["type", "a"]), st.text("ab\"'", min_size=1), min_size=1),
        min_size=1,
        max_size=5,
    )
)
def test_there_are_as_many_filters_as_different_subscriptions(subscriptions):
    different = {tuple(sorted(subscription.items())) for subscription in subscriptions}
    wanted = trigger_of(*subscriptions)["spec"]["filters"][0]
    assert {
        tuple(sorted(each["exact"].items())) for each in wanted.get("any", [wanted])
    } == different
    assert len(wanted.get("any", [wanted])) == len(different)
