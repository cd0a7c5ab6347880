"""What it costs that one event wakes several functions: deliveries, and processor time.

`python -m tests.bench.waking` measures this alone.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.control_function_start import REPOSITORY, started
from tests.bench.control_function_world import SPEC, TENANT, World
from tests.bench.costs import Costs, Delivered, spent_since
from tests.bench.deployments import Deployer
from tests.bench.functions import WITHOUT_PACKAGES
from tests.bench.platform_process import Connection, Platform
from tests.bench.process_accounts import processor_seconds, tree
from tests.bench.samples import Table
from tests.bench.timeline import Timeline
from tests.helpers.lambda_platform import BUILD_START

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW, CODE = "new function, control functions at zero", "code-only change, all warm"
UNCHANGED = "unchanged source, all warm"
UNCHANGED_AT_ZERO = "unchanged source, control functions at zero"
FUNCTIONS = ("build-start", "publish", "build-complete")
WOKEN = FUNCTIONS[1:]
START, FIRST, NEXT = "start of the process", "first event", "each further event"
ANSWER = "answer"
_EVENTS = 100
_PAGE = 1000
_QUIET_SECONDS = 1.0


@dataclass
class Waking:
    """Costs by scenario; processor milliseconds of a woken function by step."""

    costs: dict[str, Costs] = field(default_factory=dict)
    woken: dict[str, Table] = field(default_factory=dict)


def measure(rounds: int) -> Waking:
    """On platforms of their own."""
    found = Waking()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            _measure_deployments(found, Path(folder) / "home")
        with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
            for function in WOKEN:
                source = REPOSITORY / "functions" / function / "main.py"
                if source.exists():
                    table = found.woken.setdefault(function, Table())
                    _measure_woken(table, source, world.environment)
    return found


def _measure_deployments(found: Waking, home: Path) -> None:
    with Platform(home) as platform, Timeline(platform) as timeline:
        deployer = Deployer(platform, timeline)
        _note(found, NEW, platform, deployer, 0)
        _note(found, CODE, platform, deployer, 1)
        _note(found, UNCHANGED, platform, deployer, 1)
        platform.await_zero()
        _note(found, UNCHANGED_AT_ZERO, platform, deployer, 1)


def _note(
    found: Waking, scenario: str, platform: Platform, deployer: Deployer, version: int
) -> None:
    _await_quiet(platform)
    before, used = _delivered(platform), _used(platform)
    deployer.deploy("one", WITHOUT_PACKAGES, version)
    _await_quiet(platform)
    costs = found.costs.setdefault(scenario, Costs())
    costs.add(_delivered(platform) - before, spent_since(used, _used(platform)))


def _await_quiet(platform: Platform) -> None:
    """Until every delivery is settled, and no event came for a while."""
    known, since = -1, time.monotonic()
    while time.monotonic() < since + _QUIET_SECONDS:
        events = platform.broker().json("GET", f"/-/events?limit={_PAGE}")["events"]
        states = {delivery["state"] for event in events for delivery in event["triggers"]}
        if len(events) != known or "pending" in states:
            known, since = len(events), time.monotonic()
        time.sleep(0.05)


def _delivered(platform: Platform) -> Counter[Delivered]:
    found: Counter[Delivered] = Counter()
    for event in platform.broker().json("GET", f"/-/events?limit={_PAGE}")["events"]:
        for each in event["triggers"]:
            key = Delivered(each["name"], event["attributes"]["type"], str(each["status"]))
            found[key] += each["attempts"]
    return found


def _used(platform: Platform) -> dict[str, dict[str, float]]:
    """Seconds by function and process."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for function, processes in platform.control_functions().items():
        for pid in processes:
            with contextlib.suppress(OSError):  # it has just ended
                found[function][str(pid)] = processor_seconds(pid)
    return dict(found)


def _measure_woken(table: Table, source: Path, environment: Mapping[str, str]) -> None:
    """Send one function what only wakes it; an older version refuses that."""
    with started(source, environment) as (pid, port, _):
        connection = Connection(f"http://127.0.0.1:{port}")
        table[START].add(_milliseconds(pid))
        status = 0
        for what, count in ((FIRST, 1), (NEXT, _EVENTS)):
            before = _milliseconds(pid)
            for number in range(count):
                context = {"id": f"{what}-{number}", "source": "/bench", "type": BUILD_START}
                subject, now = f"{TENANT}/hello", "2026-01-01T00:00:00Z"
                status, _ = connection.send_event("/", SPEC, subject=subject, time=now, **context)
            table[what].add((_milliseconds(pid) - before) / count)
        table[ANSWER].add(status)
        connection.close()


def _milliseconds(pid: int) -> float:
    return sum(processor_seconds(each) for each in tree(pid)) * 1000


def _print() -> None:
    found = measure(int(sys.argv[1]))
    report = {
        "deployments": {
            scenario: {
                "deliveries": costs.deliveries.text(),
                "only to wake": costs.wakes.text(),
                "processor s": {
                    name: costs.processor[name].text() for name in costs.processor.names()
                },
            }
            for scenario, costs in found.costs.items()
        },
        "woken": {
            name: {what: table[what].text() for what in table.names()}
            for name, table in found.woken.items()
        },
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    _print()
