"""The contract of the port CallersCluster, for a caller who may do everything."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from knative_lambda.adapters.kubernetes.callers import KubernetesCallers
from knative_lambda.domain.caller import LAMBDA_FUNCTIONS, PodLog, Right
from knative_lambda.domain.errors import RejectedByPlatformError, UnauthenticatedError
from knative_lambda.domain.lambda_function import API_GROUP
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.kubernetes_apis import KUBERNETES_APIS
from tests.contract.helpers.records import record, spec
from tests.helpers.fakes_callers import READ_LAMBDAS, InMemoryCallers
from tests.helpers.platforms import kubernetes_platform
from tests.helpers.raw_api import RawApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.ports import CallersCluster

CREATE = Right(verb="create", group=API_GROUP, resource=LAMBDA_FUNCTIONS)
NEVER = Right(verb="launch", group="rockets.invalid", resource="rockets")


@dataclass(frozen=True, kw_only=True)
class World:
    namespace: str
    cluster: CallersCluster
    stranger: CallersCluster
    add: Callable[[str], Any]
    add_log: Callable[[str, str, str], Any]

    def names(self, **options: Any) -> list[str]:
        page = self.cluster.lambdas(
            self.namespace, **{"limit": 100, "after": None, "selector": None} | options
        )
        return [item["metadata"]["name"] for item in page.items]


def fake_world():
    callers = InMemoryCallers(rights={"t": {"team": {*READ_LAMBDAS, str(CREATE), "get pods/log"}}})

    def add_log(name, pod, text):
        callers.pod_logs.setdefault(("team", name), []).append(PodLog(pod=pod, text=text))

    return World(
        namespace="team",
        cluster=callers.with_token("t"),
        stranger=callers.with_token("nobody"),
        add=lambda name: callers.add("team", name, spec=spec().to_json()),
        add_log=add_log,
    )


def kubernetes_world(kubeconfig, write_log):
    platform = kubernetes_platform(kubeconfig, write_log)
    callers = KubernetesCallers(kubeconfig=str(kubeconfig))

    def add_log(name, pod, text):
        write_log(platform.namespace, pod, "user-container", text)
        item = {
            "metadata": {"name": pod, "labels": {"serving.knative.dev/service": name}},
            "spec": {"containers": [{"name": "user-container", "image": "i"}]},
        }
        raw = RawApi(kubeconfig, platform.namespace)
        path = f"/api/v1/namespaces/{platform.namespace}/pods"
        assert raw.send_to("POST", path, item).code == 201

    token = RawApi(kubeconfig, "")._token
    return platform, World(
        namespace=platform.namespace,
        cluster=callers.with_token(token),
        stranger=callers.with_token("nobody"),
        add=lambda name: platform.records.create(record(platform, name)),
        add_log=add_log,
    )


@pytest.fixture(params=["fake", *KUBERNETES_APIS])
def world(request):
    if request.param == "fake":
        yield fake_world()
        return
    platform, made = kubernetes_world(*request.getfixturevalue(f"{request.param}_api"))
    yield made
    platform.hands.close()


def test_a_record_is_found_as_it_is(world):
    world.add("hello")
    found = world.cluster.find(FunctionId(world.namespace, "hello"))
    assert found["metadata"]["name"] == "hello"
    assert found["metadata"]["uid"]
    assert found["spec"]["runtime"] == "python3.11"


def test_a_record_that_is_not_there_is_none(world):
    assert world.cluster.find(FunctionId(world.namespace, "hello")) is None
    assert world.names() == []


def test_pages_together_hold_each_record_once(world):
    wanted = [f"l{number}" for number in range(5)]
    for name in wanted:
        world.add(name)
    found, after = [], None
    for turn in itertools.count():
        page = world.cluster.lambdas(world.namespace, limit=2, after=after, selector=None)
        assert len(page.items) <= 2
        found += [item["metadata"]["name"] for item in page.items]
        after = page.after
        if after is None:
            break
        assert turn < 5
    assert found == wanted


def test_a_selector_that_cannot_be_read_is_rejected(world):
    with pytest.raises(RejectedByPlatformError):
        world.names(selector="((")


def test_a_token_that_nobody_has_is_not_taken(world):
    with pytest.raises(UnauthenticatedError):
        world.stranger.find(FunctionId(world.namespace, "hello"))
    with pytest.raises(UnauthenticatedError):
        world.stranger.may(world.namespace, CREATE)


def test_what_the_caller_may_is_what_kubernetes_says(world):
    assert world.cluster.may(world.namespace, CREATE)


def test_the_logs_of_a_lambda_are_those_of_its_pods(world):
    world.add_log("hello", "hello-1", "one\ntwo\n")
    world.add_log("other", "other-1", "secret\n")
    hello = FunctionId(world.namespace, "hello")
    (log,) = world.cluster.logs(hello, lines=10, timestamps=False, max_bytes=1000)
    assert (log.pod, log.text) == ("hello-1", "one\ntwo\n")


def test_a_lambda_without_pods_has_no_logs(world):
    hello = FunctionId(world.namespace, "hello")
    assert world.cluster.logs(hello, lines=10, timestamps=False, max_bytes=1000) == []
