"""In which order a cluster is measured, on stand-ins of it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench.cluster.deploying import Deployed
from tests.bench.cluster.moments import TOTAL
from tests.bench.cluster.scenarios import (
    CODE_FIVE,
    NEW,
    SCENARIOS,
    UNCHANGED,
    WARM,
    ZERO,
    Scenarios,
)
from tests.bench.cluster.yardsticks import PLAIN, WAKE
from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES
from tests.bench.registry_storage import Pushed

OLD = ("build-start", "build-complete", "delete")
NEWER = ("build-start", "publish", "build-complete", "delete")
TEMPLATE = {"metadata": {"annotations": {}}, "spec": {"containers": [{"image": "i@sha256:1"}]}}


class World:
    """A cluster and who deploys to it; what is asked of them is in `calls`."""

    def __init__(self, functions: tuple[str, ...], busy: int = 0) -> None:
        self.functions, self.calls, self.busy, self._names = functions, [], busy, 0
        self.versions: dict[str, int] = {}
        self.api = SimpleNamespace(
            get=lambda _: {"spec": {"template": TEMPLATE}},
            list=lambda *_, **__: [],
            apply=lambda path, _: self.calls.append(f"plain {path.rpartition('/')[2][:5]}"),
            delete=lambda _: self.calls.append("plain removed"),
        )

    def new_name(self) -> str:
        self._names += 1
        return f"bench-{self._names}"

    def deploy(self, name: str, kind: str, version: int) -> Deployed:
        change = "change" if name in self.versions else "new"
        assert version > self.versions.get(name, 0)
        self.versions[name] = version
        self.calls.append(f"{change} {kind}")
        return Deployed({TOTAL: 1.0}, Pushed(100))

    def deploy_again(self, name: str, kind: str, version: int) -> Deployed:
        assert self.versions[name] == version
        self.calls.append(f"again {kind}")
        return Deployed({TOTAL: 1.0}, Pushed(0))

    def keep_awake(self, name: str, kind: str, version: int) -> None:
        assert self.versions[name] == version, kind

    def sleep_until_zero(self, services: list[tuple[str, str]], meanwhile: Any) -> None:
        assert [name for _, name in services] == [*self.functions, "bench-plain"]
        self.calls.append("zero" if meanwhile is None else "zero, lambdas awake")
        if meanwhile:
            meanwhile()

    def pods(self, services: list[tuple[str, str]]) -> list[str]:
        asked_of_all = len(services) == len(self.functions)
        self.busy -= asked_of_all
        return ["one"] if asked_of_all and self.busy >= 0 else []

    def function_connection(self, name: str, namespace: str = "knative-lambda") -> Any:
        self.calls.append(f"woken {name}")
        status = 200 if namespace == "knative-lambda-bench" else 400
        return SimpleNamespace(send_event=lambda *_, **__: (status, b""))

    def lambda_connection(self, name: str, namespace: str = "default") -> Any:
        assert (name[:5], namespace) == ("plain", "knative-lambda-bench")
        newest = json.dumps({"version": self.versions["bench-1"]}).encode()
        return SimpleNamespace(send_event=lambda *_, **__: (200, newest))


def measured(world: World, repeats: int = 1) -> Scenarios:
    scenarios = Scenarios(world, world, lambda _: None, pause_seconds=0)
    world.calls.clear()
    scenarios.measure(repeats)
    return scenarios


def test_each_scenario_is_measured_between_the_yardsticks():
    world = World(NEWER)
    measured(world, repeats=2)
    warm = [
        "woken build-start", "woken publish", "woken build-complete", "new no packages",
        "plain plain",
    ]  # fmt: skip
    once = ["zero", "woken bench-plain", "new no packages", *warm, *warm]
    assert world.calls[: len(once)] == once
    assert world.calls[len(once) : len(once) + 2] == ["plain removed", "plain removed"]


def test_a_version_without_publish_is_measured_in_the_same_way():
    world = World(OLD)
    found = measured(world).found
    assert "woken publish" not in world.calls
    assert found.seconds.keys() == {(each, state) for each in SCENARIOS for state in (ZERO, WARM)}


def test_what_is_changed_or_unchanged_is_a_lambda_that_runs():
    world = World(NEWER)
    measured(world)
    deployed = [call for call in world.calls if call.split()[0] in {"new", "change", "again"}]
    kinds = [
        f"new {WITHOUT_PACKAGES}", f"change {WITHOUT_PACKAGES}", f"change {FIVE_WHEELS}",
        f"new {FIVE_WHEELS}", f"again {WITHOUT_PACKAGES}",
    ]  # fmt: skip
    assert deployed == [kind for kind in kinds for _ in (ZERO, WARM)]
    slept = [call for call in world.calls if call.startswith("zero")]
    awake = "zero, lambdas awake"
    assert slept == ["zero", awake, awake, "zero", awake]


def test_there_is_a_yardstick_for_every_deployment():
    found = measured(World(NEWER), repeats=2).found
    assert len(found.yardsticks[WAKE].values) == len(SCENARIOS)
    assert len(found.yardsticks[PLAIN].values) == 2 * len(SCENARIOS)
    assert found.new_bytes[CODE_FIVE, WARM].values == [100, 100]
    assert found.new_bytes[UNCHANGED, ZERO].values == [0]
    assert found.costs[NEW, ZERO].deliveries.values == [0]


def test_a_function_that_others_woke_is_waited_for_once_more():
    world = World(NEWER, busy=2)
    measured(world)
    assert world.calls[:6] == ["zero", "woken bench-plain"] * 3


def test_functions_that_are_always_busy_are_an_error():
    with pytest.raises(RuntimeError, match="busy"):
        measured(World(NEWER, busy=3))
