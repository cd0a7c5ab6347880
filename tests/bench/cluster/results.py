"""All that one run on a cluster measured."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.bench import machine
from tests.bench.cluster import failing
from tests.bench.cluster.access import WATCHED, MeasuredCluster
from tests.bench.cluster.broker_events import events_noted
from tests.bench.cluster.burst import Bursting
from tests.bench.cluster.deploying import Deployer
from tests.bench.cluster.growth import Growing, Growth
from tests.bench.cluster.scenarios import Deployments, Scenarios
from tests.bench.cluster.starts import Starts
from tests.bench.cluster.tenant import own_tenant
from tests.bench.functions import REPOSITORY
from tests.bench.timeline import Timeline
from tests.helpers.cluster import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.cluster.burst import Bursts
    from tests.bench.cluster.scenarios import Kept
    from tests.bench.failing_starts import FailingStarts
    from tests.bench.samples import Table
    from tests.bench.timeline import Seen

_KNATIVE = {
    "serving": "knative-serving/deployments/controller",
    "eventing": "knative-eventing/deployments/eventing-controller",
    "net-kourier": "knative-serving/deployments/net-kourier-controller",
}


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much is measured."""

    rounds: int
    warm_repeats: int
    failing_every: int
    sizes: tuple[int, ...]
    growth_repeats: int
    burst_rounds: int
    load_seconds: float


FULL = Amount(
    rounds=4,
    warm_repeats=2,
    failing_every=1,
    sizes=(1, 100, 1_000, 10_000),
    growth_repeats=7,
    burst_rounds=4,
    load_seconds=10,
)
QUICK = Amount(
    rounds=1,
    warm_repeats=2,
    failing_every=5,
    sizes=(1, 100),
    growth_repeats=3,
    burst_rounds=1,
    load_seconds=3,
)


@dataclass
class Results:
    """One run on one cluster."""

    versions: list[str]
    begun: datetime
    minutes: float = 0
    load_averages: list[float] = field(default_factory=list)
    pods_without_room: int = 0
    """Pods that had to wait for others to end; whatever needed them took longer for it."""
    functions: tuple[str, ...] = ()
    deployments: Deployments = field(default_factory=Deployments)
    from_zero: Table | None = None
    warm: Table | None = None
    growth: Growth | None = None
    failing: FailingStarts | None = None
    bursts: Bursts | None = None


class Run:
    """One after the other, with pauses in which the control functions go to zero."""

    def __init__(
        self, cluster: MeasuredCluster, timeline: Timeline, tell: Callable[[str], None]
    ) -> None:
        self._cluster, self._timeline, self._tell = cluster, timeline, tell
        self._deployer = Deployer(cluster, timeline)
        self.results = Results(_versions(cluster), datetime.now(UTC), functions=cluster.functions)

    def measure(self, amount: Amount) -> Results:
        """Everything; what was deployed is deleted."""
        begin = time.monotonic()
        try:
            with own_tenant(self._cluster):
                scenarios = Scenarios(self._cluster, self._deployer, self._step)
                self.results.deployments = scenarios.found
                self._try(lambda: self._deployments(amount, scenarios))
                self._try(lambda: self._failing(amount))
                self._try(lambda: self._bursts(amount))
                self._try(lambda: self._growth(amount, scenarios.kept))
        finally:
            self._deployer.remove_all()
        self._step("done")
        self.results.pods_without_room = pods_without_room(self._timeline.since(0))
        self.results.minutes = (time.monotonic() - begin) / 60
        return self.results

    def _try(self, part: Callable[[], None]) -> None:
        """One part; the others take long, and stand without it."""
        try:
            part()
        except Exception as error:
            if not self.results.deployments.seconds:
                raise
            self._tell(f"left out: {error!r}")

    def _deployments(self, amount: Amount, scenarios: Scenarios) -> None:
        starts = Starts(self._cluster, scenarios.kept.name)
        starts.deploy_plain()
        self.results.from_zero, self.results.warm = starts.from_zero, starts.warm
        with events_noted(self._cluster, self._timeline):
            for number in range(amount.rounds):
                self._step(f"round {number + 1} of {amount.rounds}: starts")
                starts.measure(number)
                scenarios.measure(amount.warm_repeats)

    def _failing(self, amount: Amount) -> None:
        self._step("functions that do not start")
        self.results.failing = failing.measure(
            self._cluster, self._timeline, amount.failing_every, self._tell
        )

    def _bursts(self, amount: Amount) -> None:
        bursting = Bursting(self._cluster)
        self.results.bursts = bursting.measure(amount.burst_rounds, amount.load_seconds, self._step)

    def _growth(self, amount: Amount, kept: Kept) -> None:
        self._step("growth")
        growing = Growing(
            self._cluster, self._deployer, kept.name, kept.version, amount.growth_repeats
        )
        self.results.growth = growing.measure(amount.sizes, self._step)

    def _step(self, text: str) -> None:
        self.results.load_averages.append(machine.load_average())
        self._tell(text)


def pods_without_room(seen: list[Seen]) -> int:
    """How many of these Pods did not fit on a node at once.

    The condition is that of the API's `PodCondition` `PodScheduled`.
    """
    return len(
        {
            (each.object["metadata"]["namespace"], each.name)
            for each in seen
            if each.kind == "Pod"
            for condition in each.status.get("conditions") or []
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable"
        }
    )


def measure(amount: Amount, tell: Callable[[str], None]) -> Results:
    """Measure the cluster that the environment names."""
    cluster = MeasuredCluster.of_environment()
    with Timeline(cluster.api, WATCHED) as timeline:
        return Run(cluster, timeline, tell).measure(amount)


def _versions(cluster: MeasuredCluster) -> list[str]:
    kubernetes = cluster.api.request("GET", "/version").data["gitVersion"]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    knative = [f"{name} {_knative(cluster, name)}" for name in _KNATIVE]
    nodes = cluster.api.list("/api/v1/nodes")
    runtime = nodes[0]["status"]["nodeInfo"]["containerRuntimeVersion"]
    others = len(cluster.api.list(RECORDS))
    platform = f"Kubernetes {kubernetes.lstrip('v')}, {len(nodes)} node, {runtime}"
    return [
        f"{platform}; Knative: {', '.join(knative)}; Broker on the in-memory channel",
        f"Knative Lambda at {commit.stdout.strip()}; {others} lambdas of others on the cluster",
    ]


def _knative(cluster: MeasuredCluster, name: str) -> str:
    """What its labels say; the testbed's are made from modules, whose versions are in go.mod."""
    found = cluster.api.get(f"/apis/apps/v1/namespaces/{_KNATIVE[name]}") or {}
    labels = (found.get("metadata") or {}).get("labels") or {}
    version: str = labels.get("app.kubernetes.io/version", "devel")
    modules = REPOSITORY / "testbed" / "components" / "knative" / "go.mod"
    module = re.search(rf"knative\.dev/{name} v(\S+)", modules.read_text())
    return module[1] if version == "devel" and module else version
