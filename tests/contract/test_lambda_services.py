"""The contract of the port LambdaServices."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from knative_lambda.adapters.kubernetes.client import SERVICES, TRIGGERS
from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import ConflictError, NotReadyError, PermanentError
from knative_lambda.manifests import labels
from knative_lambda.manifests.trigger import subscriptions_trigger, target_trigger
from tests.contract.helpers.recorded_deployments import deploy, spec
from tests.helpers.platforms import another_generation, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.deployment import Deployment

ONE, OTHER = {"type": "com.example.one"}, {"type": "com.example.other", "source": "/a"}
NEWER_IMAGE = "registry/lambdas/default/hello@sha256:" + "e" * 64
READY = ServiceState(ready=True, url="http://hello.default", revision="hello-00001")
FAILED = ServiceState(ready=False, failure_reason="RevisionFailed", failure_message="no handler")


@pytest.fixture
def deployment(platform):
    return deploy(platform, "hello", ONE)


@pytest.fixture
def deployed(kubernetes):
    return kubernetes, deploy(kubernetes, "hello", ONE)


def in_order(subscriptions):
    return sorted(subscriptions, key=lambda each: sorted(each.items()))


def test_a_deployment_starts_and_becomes_ready(platform, deployment):
    assert platform.services.apply(deployment)
    assert platform.services.state(deployment) == ServiceState(ready=False)
    platform.hands.become(deployment, READY)
    assert platform.services.state(deployment) == READY


def test_a_deployment_that_does_not_start_says_why(platform, deployment):
    platform.services.apply(deployment)
    platform.hands.become(deployment, FAILED)
    assert platform.services.state(deployment) == FAILED
    assert platform.services.state(deployment).failed


def test_a_crash_of_the_revision_before_is_not_one_of_this(kubernetes):
    deployment = deploy(kubernetes)
    kubernetes.services.apply(deployment)
    kubernetes.hands.crash(deployment, "No module named 'x'")
    newer = another_generation(deployment, 3, image=NEWER_IMAGE)
    kubernetes.services.apply(newer)
    out_of_date = ("Unknown", "OutOfDate")
    kubernetes.hands.say(newer, Ready=out_of_date, ConfigurationsReady=out_of_date)
    assert kubernetes.services.state(newer) == ServiceState(ready=False)


@pytest.mark.parametrize(
    "configurations", [("Unknown", "OutOfDate"), ("Unknown", ""), ("True", "")]
)
def test_a_route_without_a_ready_revision_waits_for_this_one(kubernetes, configurations):
    deployment = deploy(kubernetes)
    kubernetes.services.apply(deployment)
    missing = ("False", "RevisionMissing")
    kubernetes.hands.say(
        deployment, Ready=missing, ConfigurationsReady=configurations, RoutesReady=missing
    )
    assert kubernetes.services.state(deployment) == ServiceState(ready=False)


@pytest.mark.parametrize(
    ("configurations", "routes"),
    [
        (("False", "RevisionFailed"), ("False", "RevisionMissing")),
        (("True", ""), ("False", "RevisionNotOwned")),
    ],
)
def test_what_will_not_become_ready_has_failed(kubernetes, configurations, routes):
    deployment = deploy(kubernetes)
    kubernetes.services.apply(deployment)
    first = next(said for said in (configurations, routes) if said[0] == "False")
    kubernetes.hands.say(
        deployment, Ready=first, ConfigurationsReady=configurations, RoutesReady=routes
    )
    assert kubernetes.services.state(deployment).failure_reason == first[1]


def test_a_deployment_is_ready_once_its_triggers_are(kubernetes):
    deployment = deploy(kubernetes, "hello", ONE)
    kubernetes.services.apply(deployment)
    good = ("True", "")
    kubernetes.hands.say(deployment, Ready=good, ConfigurationsReady=good, RoutesReady=good)
    assert kubernetes.services.state(deployment) == ServiceState(ready=False)

    kubernetes.hands.triggers_become(deployment, "Unknown", "BrokerUnknown")
    assert kubernetes.services.state(deployment) == ServiceState(ready=False)

    kubernetes.hands.triggers_become(deployment, "False", "BrokerDoesNotExist", "no such Broker")
    state = kubernetes.services.state(deployment)
    assert (state.failed, state.serves) == (True, True)
    assert state.failure_reason == "BrokerDoesNotExist"
    assert "no such Broker" in state.failure_message
    assert datetime.now(UTC) - state.pending_since < timedelta(minutes=1)

    kubernetes.hands.triggers_become(deployment, "True")
    assert kubernetes.services.state(deployment).ready


def test_the_same_deployment_again_changes_nothing(platform, deployment):
    platform.services.apply(deployment)
    platform.hands.become(deployment, READY)
    assert platform.services.apply(deployment)
    assert platform.services.state(deployment) == READY


def test_a_newer_generation_replaces_an_older_one_and_never_the_other_way(platform, deployment):
    platform.services.apply(deployment)
    newer = another_generation(deployment, 3, image=NEWER_IMAGE, spec=spec(OTHER))
    assert platform.services.apply(newer)
    assert not platform.services.apply(deployment)
    assert NEWER_IMAGE in set(platform.services.images_in_use())
    assert platform.hands.subscriptions(deployment.function) == [OTHER]


def test_subscriptions_are_those_of_the_newest_deployment(platform, deployment):
    platform.services.apply(another_generation(deployment, 2, spec=spec(ONE, OTHER)))
    subscribed = in_order(platform.hands.subscriptions(deployment.function))
    assert subscribed == in_order([ONE, OTHER])
    platform.services.apply(another_generation(deployment, 3, spec=spec(OTHER)))
    assert platform.hands.subscriptions(deployment.function) == [OTHER]
    platform.services.apply(another_generation(deployment, 4, spec=spec()))
    assert platform.hands.subscriptions(deployment.function) == []


def test_other_subscriptions_change_the_trigger_that_is_there(deployed):
    kubernetes, deployment = deployed
    before = trigger_uids_after(kubernetes, deployment)
    assert len(before) == 1
    for subscriptions in ([OTHER], [ONE, OTHER]):
        newer = another_generation(deployment, 3, spec=spec(*subscriptions))
        assert trigger_uids_after(kubernetes, newer) == before


def test_of_two_triggers_the_second_is_removed_a_moment_after_the_first(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    target = target_trigger(deployment.function, deployment.uid, broker="default")
    kubernetes.hands.api.apply(TRIGGERS, target)
    there = []

    def pause(seconds):
        assert seconds >= 1
        there.append(len(list(kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace))))

    services = KubernetesLambdaServices(api=kubernetes.hands.api, pause=pause)
    services.delete(deployment.function)
    assert there == [1]
    assert kubernetes.hands.subscriptions(deployment.function) == []


def test_a_trigger_of_an_older_version_goes_a_moment_after_the_new_one_came(deployed):
    kubernetes, deployment = deployed
    older = subscriptions_trigger(deployment, broker="default")
    older["metadata"]["name"] = "hello-of-one-subscription"
    kubernetes.hands.api.apply(TRIGGERS, older)
    there = []

    def pause(_):
        found = kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace)
        there.append({trigger["metadata"]["name"] for trigger in found})

    services = KubernetesLambdaServices(api=kubernetes.hands.api, pause=pause)
    services.apply(deployment)
    name = subscriptions_trigger(deployment, broker="default")["metadata"]["name"]
    assert there == [{"hello-of-one-subscription", name}]
    services.apply(deployment)
    assert len(there) == 1


def trigger_uids_after(kubernetes, deployment):
    kubernetes.services.apply(deployment)
    triggers = kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace)
    return {trigger["metadata"]["uid"] for trigger in triggers}


def test_a_lambda_that_is_still_being_removed_is_waited_for(platform, deployment):
    platform.services.apply(deployment)
    successor = another_generation(deployment, 1, uid=str(uuid.uuid4()))
    with pytest.raises(NotReadyError):
        platform.services.apply(successor)


def test_nothing_of_a_deleted_lambda_is_left(platform, deployment):
    platform.services.apply(deployment)
    for _ in range(2):
        platform.services.delete(deployment.function)
    eventually(lambda: deployment.image not in set(platform.services.images_in_use()))
    assert platform.hands.subscriptions(deployment.function) == []
    with pytest.raises(NotReadyError):
        platform.services.state(deployment)


def test_an_image_that_is_served_is_in_use(platform, deployment):
    assert deployment.image not in set(platform.services.images_in_use())
    platform.services.apply(deployment)
    assert deployment.image in set(platform.services.images_in_use())


def test_a_service_that_is_no_lambda_is_not_touched(deployed):
    kubernetes, deployment = deployed
    container = {"image": "somebody/elses"}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello", "namespace": kubernetes.namespace},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    kubernetes.hands.api.create(SERVICES, service)
    with pytest.raises(PermanentError, match="that is not a lambda") as refused:
        kubernetes.services.apply(deployment)
    assert refused.value.field == "subject"


@dataclass(frozen=True)
class BusyApi:
    """The API of a cluster where Knative writes a status right after whoever looks at a Service."""

    platform: Any
    deployment: Deployment
    states: Iterator[ServiceState]

    def find(self, resource, *name):
        found = self.platform.hands.api.find(resource, *name)
        for state in itertools.islice(self.states, 1):
            self.platform.hands.become(self.deployment, state)
        return found

    def __getattr__(self, call):
        return getattr(self.platform.hands.api, call)


def test_a_status_that_knative_writes_meanwhile_is_no_conflict(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    states = iter([ServiceState(ready=False), READY])
    services = KubernetesLambdaServices(api=BusyApi(kubernetes, deployment, states))
    assert services.apply(another_generation(deployment, 3, image=NEWER_IMAGE))
    assert next(states, None) is None
    assert NEWER_IMAGE in set(kubernetes.services.images_in_use())


def test_a_service_that_never_keeps_still_is_tried_again_by_the_sender(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    states = (replace(READY, revision=f"hello-{n:05}") for n in itertools.count())
    services = KubernetesLambdaServices(api=BusyApi(kubernetes, deployment, states))
    with pytest.raises(ConflictError):
        services.apply(another_generation(deployment, 3, image=NEWER_IMAGE))


def test_what_knative_said_before_the_change_does_not_count(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    kubernetes.hands.become(deployment, READY)
    kubernetes.services.apply(another_generation(deployment, 3, image=NEWER_IMAGE))
    assert kubernetes.services.state(deployment) == ServiceState(ready=False)


def test_a_trigger_of_another_lambda_is_not_touched(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deploy(kubernetes, "other", OTHER))
    kubernetes.services.apply(deployment)
    kubernetes.services.delete(deployment.function)
    left = list(kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace))
    assert [trigger["spec"]["subscriber"]["ref"]["name"] for trigger in left] == ["other"]


def test_the_trigger_of_events_for_this_lambda_alone_outlives_deployments_but_no_deletion(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    function = deployment.function
    target = target_trigger(function, deployment.uid, broker="default")
    name = kubernetes.hands.api.apply(TRIGGERS, target)["metadata"]["name"]

    kubernetes.services.apply(another_generation(deployment, 3, spec=spec(OTHER)))
    left = list(kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace))
    assert name in [trigger["metadata"]["name"] for trigger in left]
    assert len(left) == 2

    kubernetes.services.delete(function)
    assert list(kubernetes.hands.api.list(TRIGGERS, kubernetes.namespace)) == []


def test_a_lambda_is_ready_whatever_the_state_of_that_trigger(kubernetes):
    deployment = deploy(kubernetes, "hello", ONE)
    kubernetes.services.apply(deployment)
    kubernetes.hands.become(deployment, READY)
    target = target_trigger(deployment.function, deployment.uid, broker="default")
    kubernetes.hands.api.apply(TRIGGERS, target)
    assert kubernetes.services.state(deployment) == READY


def watched(kubernetes):
    """Kinds of what the source of events about failed lambdas chooses."""
    chosen = {labels.MANAGED_BY: "knative-lambda", labels.FAILED: "true"}
    return {
        item["kind"]
        for kind in (SERVICES, TRIGGERS)
        for item in kubernetes.hands.api.list(kind, kubernetes.namespace, labels=chosen)
    }


def test_what_is_watched_carries_a_label_until_it_is_applied_again(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    template = service_of(kubernetes)["spec"]["template"]
    assert watched(kubernetes) == set()
    for _ in range(2):
        kubernetes.services.watch(deployment)
        assert watched(kubernetes) == {"Service", "Trigger"}
    assert service_of(kubernetes)["spec"]["template"] == template
    kubernetes.services.apply(deployment)
    assert watched(kubernetes) == set()


def test_an_older_deployment_has_nothing_watched(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(another_generation(deployment, 3, image=NEWER_IMAGE))
    kubernetes.services.watch(deployment)
    assert watched(kubernetes) == set()


def test_watching_brings_nothing_back(platform, deployment):
    platform.services.apply(deployment)
    platform.services.delete(deployment.function)
    platform.services.watch(deployment)
    with pytest.raises(NotReadyError, match="gone"):
        platform.services.state(deployment)


def test_watching_what_did_not_change_changes_nothing(deployed):
    kubernetes, deployment = deployed
    kubernetes.services.apply(deployment)
    kubernetes.services.watch(deployment)
    before = service_of(kubernetes)["metadata"]["resourceVersion"]
    kubernetes.services.watch(deployment)
    assert service_of(kubernetes)["metadata"]["resourceVersion"] == before


def service_of(kubernetes):
    return kubernetes.hands.api.get(SERVICES, kubernetes.namespace, "hello")


def test_what_serves_says_nothing_of_a_deployment_that_was_not_applied(platform, deployment):
    platform.services.apply(deployment)
    platform.hands.become(deployment, READY)
    newer = another_generation(deployment, 3, image=NEWER_IMAGE)
    successor = another_generation(deployment, 1, uid=str(uuid.uuid4()))
    for other in (newer, successor):
        assert platform.services.state(other) == ServiceState(ready=False)
