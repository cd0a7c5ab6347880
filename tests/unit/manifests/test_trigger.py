from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.manifests import labels
from knative_lambda.manifests.trigger import lambda_triggers, target_trigger, target_trigger_name
from tests.helpers.deployments import deployment

ONE = {"type": "com.example.one", "source": "/a"}
OTHER = {"type": "com.example.other"}


def triggers(*subscriptions, broker="default", **changes):
    return lambda_triggers(deployment(subscriptions=list(subscriptions), **changes), broker=broker)


def names(made):
    return [trigger["metadata"]["name"] for trigger in made]


def test_a_lambda_that_subscribes_to_nothing_has_no_trigger():
    assert triggers() == []


def test_a_trigger_takes_what_was_subscribed_to_and_never_the_lambdas_own_replies():
    (trigger,) = triggers(ONE)
    assert trigger["spec"]["broker"] == "default"
    assert trigger["spec"]["filters"] == [
        {"exact": ONE},
        {"not": {"exact": {labels.LAMBDA_EXTENSION: "default/hello"}}},
        {"not": {"prefix": {labels.TARGET_EXTENSION: "/"}}},
    ]


def test_a_trigger_leads_to_the_lambdas_service_and_goes_with_its_record():
    (trigger,) = triggers(ONE)
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
    assert trigger["spec"]["subscriber"] == triggers(ONE)[0]["spec"]["subscriber"]


def test_that_trigger_goes_with_the_record_and_asks_for_no_right_on_it():
    trigger = target_trigger(deployment().function, "uid-1", broker="default")
    (owner,) = trigger["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (
        "uid-1",
        False,
        False,
    )
    assert trigger["metadata"]["labels"] == triggers(ONE)[0]["metadata"]["labels"]


def test_the_same_subscription_is_one_trigger_however_it_is_written():
    again = dict(reversed(ONE.items()))
    assert names(triggers(ONE, again)) == names(triggers(ONE)) == names(triggers(again))


def test_the_order_of_subscriptions_does_not_matter():
    assert triggers(ONE, OTHER) == triggers(OTHER, ONE)


def test_another_filter_or_broker_is_another_trigger():
    made = names(triggers(ONE)) + names(triggers(OTHER)) + names(triggers(ONE, broker="other"))
    assert len(set(made)) == 3


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["type", "a"]), st.text("ab\"'", min_size=1), min_size=1),
        max_size=5,
    )
)
def test_there_are_as_many_names_as_different_filters(subscriptions):
    different = {tuple(sorted(subscription.items())) for subscription in subscriptions}
    assert len(set(names(triggers(*subscriptions)))) == len(different)
