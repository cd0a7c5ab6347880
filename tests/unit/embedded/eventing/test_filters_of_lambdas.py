"""What the filters of a lambda's Triggers mean."""

from __future__ import annotations

import pytest

from knative_lambda.manifests.trigger import subscriptions_trigger, target_trigger
from lambda_embedded.eventing import filters
from tests.helpers.deployments import HELLO, deployment

SUBSCRIBED = {"type": "t"}
BY_TYPE = subscriptions_trigger(deployment(subscriptions=[SUBSCRIBED]), broker="default")
BY_TARGET = target_trigger(HELLO, "uid-1", broker="default")
ITS_OWN, OTHER = {"lambdatarget": "/default/hello"}, {"lambdatarget": "/default/other"}


@pytest.mark.parametrize(
    ("attributes", "taken_by"),
    [
        (SUBSCRIBED, [BY_TYPE]),
        ({**SUBSCRIBED, **ITS_OWN}, [BY_TARGET]),
        ({"type": "other", **ITS_OWN}, [BY_TARGET]),
        ({**SUBSCRIBED, **OTHER}, []),
        ({**SUBSCRIBED, "lambdatarget": "/default/hello2"}, []),
        ({**SUBSCRIBED, "lambdatarget": "no address"}, [BY_TYPE]),
        ({**SUBSCRIBED, "lambdafunction": "default/hello"}, []),
        ({**SUBSCRIBED, **ITS_OWN, "lambdafunction": "default/hello"}, []),
        ({**SUBSCRIBED, **ITS_OWN, "lambdafunction": "default/other"}, [BY_TARGET]),
    ],
)
def test_an_event_has_one_way_to_a_lambda_or_none(attributes, taken_by):
    triggers = (BY_TYPE, BY_TARGET)
    assert [each for each in triggers if filters.matches(each["spec"], attributes)] == taken_by
    assert all(filters.problem(each["spec"]) is None for each in triggers)
