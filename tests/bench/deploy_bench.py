"""Rounds of deployments: a new platform, a platform at rest, other functions, code, nothing new.

`python -m tests.bench.deploy_bench ROUNDS REPEATS` measures this alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.deployments import Deployer
from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES
from tests.bench.platform_process import Platform
from tests.bench.samples import Samples, Table
from tests.bench.timeline import Timeline

NEW = "new platform, its first deployment"
NEW_FIVE = "new platform, its first deployment, five wheels"
AT_ZERO = "control functions at zero, a new function"
UNCHANGED_AT_ZERO = "control functions at zero, unchanged source"
CODE_FIVE_AT_ZERO = "control functions at zero, code-only change beside five wheels"
WARM = "all warm, another new function"
CODE = "code-only change"
UNCHANGED = "unchanged source"
WARM_FIVE = "another function with the same five wheels"
CODE_FIVE = "code-only change beside five wheels"
FIRST_START = "platform start, new data folder"
BARE = "python -c pass, before each deployment"
NEXT_START = "platform start, again"
_KIB = 1024


@dataclass
class Deployments:
    """Seconds by scenario and part, which of them had a Job, KiB pushed; platform starts."""

    tables: dict[str, Table] = field(default_factory=dict)
    with_job: set[str] = field(default_factory=set)
    pushed: Table = field(default_factory=Table)
    starts: Table = field(default_factory=Table)
    bare: Samples = field(default_factory=Samples)
    """Seconds of an interpreter that does nothing, before each deployment."""

    def note(self, scenario: str, deployer: Deployer, name: str, kind: str, version: int) -> None:
        """Deploy once and keep what it took."""
        self.bare.add(_bare_seconds())
        deployed = deployer.deploy(name, kind, version)
        table = self.tables.setdefault(scenario, Table())
        for part, seconds in deployed.seconds.items():
            table[part].add(seconds)
        if deployed.has_job:
            self.with_job.add(scenario)
        self.pushed[scenario].add(deployed.pushed / _KIB)


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
    with Platform(home) as platform, Timeline(platform) as timeline:
        found.starts[NEXT_START].add(platform.start_seconds)
        deployer = Deployer(platform, timeline)
        platform.await_zero()
        found.note(UNCHANGED_AT_ZERO, deployer, "first", kind, 0)
        platform.await_zero()
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
        platform.await_zero()
        found.note(CODE_FIVE_AT_ZERO, deployer, "pricer", kind, 1)
        for number in range(max(1, repeats // 2)):
            found.note(WARM_FIVE, deployer, f"pricer-{number}", kind, 100 + number)
            found.note(CODE_FIVE, deployer, "pricer", kind, 200 + number)


def _bare_seconds() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begin


def _print() -> None:
    """Medians of this part alone, as JSON."""
    found = measure(*map(int, sys.argv[1:3]))
    report: dict[str, dict[str, str | bool]] = {
        scenario: {part: table[part].text() for part in table.names()}
        | {"pushed KiB": found.pushed[scenario].text(), "Job": scenario in found.with_job}
        for scenario, table in found.tables.items()
    }
    report[BARE] = {"seconds": found.bare.text()}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    _print()
