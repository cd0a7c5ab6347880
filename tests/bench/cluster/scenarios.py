"""What is deployed on a cluster, in both states of the control functions, and yardsticks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.cluster.function_costs import costs_noted
from tests.bench.cluster.moments import BUILDERS
from tests.bench.cluster.starts import wake
from tests.bench.cluster.yardsticks import Yardsticks
from tests.bench.costs import Costs
from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES
from tests.bench.samples import Samples, Table
from tests.helpers.cluster import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.cluster.deploying import Deployed, Deployer

NEW, NEW_FIVE = "new lambda, no packages", "new lambda, five wheels"
CODE, CODE_FIVE = "code-only change, no packages", "code-only change beside five wheels"
UNCHANGED = "unchanged source again"
SCENARIOS = (NEW, CODE, CODE_FIVE, NEW_FIVE, UNCHANGED)
WARM, ZERO = "warm", "at zero"
STATES = (WARM, ZERO)
_TRIES = 3

Key = tuple[str, str]
"""A scenario, and the state of the control functions."""


@dataclass
class Deployments:
    """What was measured, by scenario and state."""

    seconds: dict[Key, Table] = field(default_factory=dict)
    new_bytes: dict[Key, Samples] = field(default_factory=dict)
    again_bytes: dict[Key, Samples] = field(default_factory=dict)
    costs: dict[Key, Costs] = field(default_factory=dict)
    yardsticks: Table = field(default_factory=Table)

    def add(self, key: Key, deployed: Deployed) -> None:
        """Note one deployment."""
        table = self.seconds.setdefault(key, Table())
        for what, seconds in deployed.seconds.items():
            table[what].add(seconds)
        if deployed.pushed is not None:
            self.new_bytes.setdefault(key, Samples()).add(deployed.pushed.new)
            self.again_bytes.setdefault(key, Samples()).add(deployed.pushed.again)


class Kept(NamedTuple):
    """A lambda that stays, for what is about one that is there."""

    name: str
    kind: str
    version: int


class Scenarios:
    """Deploys in turns: each from zero, then warm, with a yardstick before and after."""

    def __init__(
        self,
        cluster: MeasuredCluster,
        deployer: Deployer,
        tell: Callable[[str], None],
        *,
        pause_seconds: float = 1.0,
    ) -> None:
        """Deploy the lambdas that stay."""
        self._cluster, self._deployer, self._tell = cluster, deployer, tell
        self._pause_seconds = pause_seconds
        self._versions = int(time.time())
        self._plain, self._five = self._keep(WITHOUT_PACKAGES), self._keep(FIVE_WHEELS)
        self._yardsticks = Yardsticks(cluster, self._plain.name)
        self.found = Deployments(yardsticks=self._yardsticks.seconds)

    @property
    def kept(self) -> Kept:
        """The lambda without packages."""
        return self._plain

    def measure(self, warm_repeats: int) -> None:
        """Each scenario once from zero and so often warm."""
        for scenario in SCENARIOS:
            self._tell(scenario)
            self._measure_at_zero(scenario)
            for _ in range(warm_repeats):
                self._wake_builders()
                self._deploy(scenario, WARM)
                self._yardsticks.measure_plain(self._plain.version)
            self._yardsticks.remove_plain()

    def _keep(self, kind: str) -> Kept:
        kept = Kept(self._deployer.new_name(), kind, self._next_version())
        self._deployer.deploy(*kept)
        return kept

    def _next_version(self) -> int:
        self._versions += 1
        return self._versions

    def _measure_at_zero(self, scenario: str) -> None:
        for _ in range(_TRIES):
            functions = [(CONTROL, name) for name in self._cluster.functions]
            # The lambda itself runs: an update is about one that is used.
            self._cluster.sleep_until_zero(
                [*functions, self._yardsticks.function],
                None if scenario in {NEW, NEW_FIVE} else self._keep_awake,
            )
            time.sleep(self._pause_seconds)
            self._yardsticks.measure_wake()
            if not self._cluster.pods(functions):
                self._deploy(scenario, ZERO)
                return
            self._tell("others' events woke a control function: once more")
        raise RuntimeError("others' events keep the control functions busy")

    def _wake_builders(self) -> None:
        for name in self._cluster.functions:
            if name in BUILDERS:
                wake(self._cluster, name)

    def _deploy(self, scenario: str, state: str) -> None:
        key = (scenario, state)
        with costs_noted(self._cluster, self.found.costs.setdefault(key, Costs())):
            deployed = self._deployed(scenario)
        self.found.add(key, deployed)

    def _deployed(self, scenario: str) -> Deployed:
        deployer = self._deployer
        if scenario == UNCHANGED:
            return deployer.deploy_again(*self._plain)
        if scenario == CODE:
            self._plain = self._plain._replace(version=self._next_version())
            return deployer.deploy(*self._plain)
        if scenario == CODE_FIVE:
            self._five = self._five._replace(version=self._next_version())
            return deployer.deploy(*self._five)
        kind = FIVE_WHEELS if scenario == NEW_FIVE else WITHOUT_PACKAGES
        return deployer.deploy(deployer.new_name(), kind, self._next_version())

    def _keep_awake(self) -> None:
        for kept in (self._plain, self._five):
            self._deployer.keep_awake(*kept)
