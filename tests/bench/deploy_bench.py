"""Rounds of deployments: a new platform, a platform at rest, other functions, code, nothing new."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.deployments import Deployer, add
from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES
from tests.bench.platform_process import Platform
from tests.bench.samples import Samples, Table
from tests.bench.timeline import Timeline

NEW = "new platform, its first deployment"
NEW_FIVE = "new platform, its first deployment, five wheels"
AT_ZERO = "control functions at zero, a new function"
WARM = "all warm, another new function"
CODE = "code-only change"
UNCHANGED = "unchanged source"
WARM_FIVE = "another function with the same five wheels"
CODE_FIVE = "code-only change beside five wheels"
SCENARIOS = (NEW, NEW_FIVE, AT_ZERO, WARM, CODE, UNCHANGED, WARM_FIVE, CODE_FIVE)
FIRST_START = "platform start, new data folder"
NEXT_START = "platform start, again"


@dataclass
class Deployments:
    """Seconds by scenario and part; platform starts; layers of the last image of a scenario."""

    tables: dict[str, Table] = field(default_factory=dict)
    starts: Table = field(default_factory=Table)
    layers: dict[str, list[dict[str, int | bool]]] = field(default_factory=dict)
    platform_five_start: Samples = field(default_factory=Samples)

    def note(self, scenario: str, deployer: Deployer, name: str, kind: str, version: int) -> None:
        """Deploy once and keep what it took."""
        deployed = deployer.deploy(name, kind, version)
        add(self.tables, scenario, deployed)
        self.layers[scenario] = deployed.layers


def measure(rounds: int, repeats: int) -> Deployments:
    """Each round uses platforms of its own, whose installer caches are empty."""
    found = Deployments()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            _round_without_packages(found, Path(folder) / "one", repeats)
            _round_with_packages(found, Path(folder) / "two", repeats)
    return found


def _round_without_packages(found: Deployments, home: Path, repeats: int) -> None:
    kind = WITHOUT_PACKAGES
    with Platform(home) as platform, Timeline(platform) as timeline:
        found.starts[FIRST_START].add(platform.start_seconds)
        deployer = Deployer(platform, timeline)
        found.note(NEW, deployer, "first", kind, 0)
    # A platform that starts again has everything at zero until an event comes.
    with Platform(home) as platform, Timeline(platform) as timeline:
        found.starts[NEXT_START].add(platform.start_seconds)
        deployer = Deployer(platform, timeline)
        found.note(AT_ZERO, deployer, "second", kind, 1)
        for number in range(repeats):
            found.note(WARM, deployer, f"other-{number}", kind, 100 + number)
            found.note(CODE, deployer, "second", kind, 200 + number)
            found.note(UNCHANGED, deployer, "second", kind, 200 + number)


def _round_with_packages(found: Deployments, home: Path, repeats: int) -> None:
    kind = FIVE_WHEELS
    with Platform(home) as platform, Timeline(platform) as timeline:
        deployer = Deployer(platform, timeline)
        found.note(NEW_FIVE, deployer, "pricer", kind, 0)
        for number in range(max(1, repeats // 2)):
            found.note(WARM_FIVE, deployer, f"pricer-{number}", kind, 100 + number)
            found.note(CODE_FIVE, deployer, "pricer", kind, 200 + number)
