"""Functions that do not start: from the end of their process to the person who was told.

`python -m tests.bench.failing_starts` measures this alone on the embedded platform.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.command_line import tell as tell_aloud
from tests.bench.platform_process import Platform
from tests.bench.samples import Samples, number
from tests.bench.timeline import Timeline
from tests.helpers.broken_functions import BROKEN_FUNCTIONS, WORKING_FUNCTIONS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.bench.timeline import Seen

FIRST, UPDATE = "first version", "update of one that serves"
SECONDS = 5
_PODS = "/api/v1/namespaces/default/pods"
_SERVICE = "serving.knative.dev/service"
_TIMEOUT = "120s"
_FAILED = 1


@dataclass
class FailingStarts:
    """Seconds until the command line had printed the failure and ended, by kind and scenario."""

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    def samples(self, scenario: str | None = None, language: str | None = None) -> Samples:
        """Those of one scenario and one language, or of all."""
        return Samples(
            seconds
            for (kind, of), seconds in self.seconds.items()
            if scenario in {None, of} and language in {None, BROKEN_FUNCTIONS[kind].language}
        )

    def text(self) -> str:
        """The median, and the worst of all with its name."""
        (kind, scenario), worst = max(self.seconds.items(), key=lambda item: item[1])
        kinds = len({kind for kind, _ in self.seconds})
        median = number(self.samples().median, "s")
        return f"{median}, worst of {kinds} kinds {number(worst, 's')} ({kind}, {scenario})"

    def report(self) -> str:
        """All of it, for who measures this alone."""
        rows = [
            f"{seconds:6.2f} s  {kind}, {scenario}"
            for (kind, scenario), seconds in self.seconds.items()
        ]
        rows += [
            f"{language}, {scenario}: {self.samples(scenario, language).text()}"
            for language in WORKING_FUNCTIONS
            for scenario in (FIRST, UPDATE)
        ]
        return "\n".join([*rows, f"all: {self.text()}\n"])

    def worst(self) -> float:
        """The longest that anybody had to wait."""
        return max(self.seconds.values())


@dataclass(kw_only=True)
class FailingDeployer:
    """Deploys what is broken as people do, to any platform."""

    kn_lambda: Callable[..., subprocess.CompletedProcess[str]]
    timeline: Timeline
    ended_at: Callable[[Seen], float]
    """When the process ended, by the first change of its Pod that tells so."""

    def measure(self, kinds: list[str], tell: Callable[[str], None]) -> FailingStarts:
        """Each kind as the first version of a lambda, and as an update of one that works.

        What was deployed is deleted.
        """
        found = FailingStarts()
        with tempfile.TemporaryDirectory() as made:
            for number_, kind in enumerate(kinds):
                tell(kind)
                first, serving = f"broken-{number_}", f"serving-{number_}"
                folder = Path(made) / first
                try:
                    found.seconds[kind, FIRST] = self._deploy(kind, folder, first)
                    self._deploy_working(BROKEN_FUNCTIONS[kind].language, folder, serving)
                    found.seconds[kind, UPDATE] = self._deploy(kind, folder, serving)
                finally:
                    # Pods that fail stay for minutes, and would need the room of the next ones.
                    self.kn_lambda("delete", first, serving)
        return found

    def _deploy_working(self, language: str, folder: Path, name: str) -> None:
        function = WORKING_FUNCTIONS[language]
        options = ("--name", name, "--runtime", language)
        done = self.kn_lambda("deploy", function.write(folder), *options)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def _deploy(self, kind: str, folder: Path, name: str) -> float:
        broken = BROKEN_FUNCTIONS[kind]
        options = ("--name", name, "--runtime", broken.language, "--timeout", _TIMEOUT)
        begin = time.time()
        done = self.kn_lambda("deploy", broken.write(folder), *options)
        told = time.time()
        if done.returncode != _FAILED:
            raise RuntimeError(f"{kind}: {done.returncode} {done.stderr}")
        before = {seen.name for seen in self.timeline.since(0) if seen.at < begin}

        def tells_of_its_end(seen: Seen) -> bool:
            is_its = (seen.object["metadata"].get("labels") or {}).get(_SERVICE) == name
            is_new = seen.kind == "Pod" and is_its and seen.name not in before
            return is_new and termination(seen) is not None

        return told - self.ended_at(self.timeline.wait_for(begin, tells_of_its_end))


def termination(seen: Seen) -> dict[str, Any] | None:
    """How the function's process ended, the first time."""
    for container in seen.status.get("containerStatuses") or []:
        for time_ in ("lastState", "state"):
            ended: dict[str, Any] | None = (container.get(time_) or {}).get("terminated")
            if container["name"] == "user-container" and ended is not None:
                return ended
    return None


def by_the_watch(seen: Seen) -> float:
    """For a platform that tells of an end when it sees it."""
    return seen.at


def by_the_kubelet(seen: Seen) -> float:
    """In whole seconds, so up to one too early; the watch is told up to some seconds too late."""
    return datetime.fromisoformat((termination(seen) or {})["finishedAt"]).timestamp()


def chosen(every: int) -> list[str]:
    """Every so manieth kind."""
    return list(itertools.islice(BROKEN_FUNCTIONS, 0, None, every))


def measure(every: int, tell: Callable[[str], None]) -> FailingStarts:
    """On an embedded platform."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "failing"
        with Platform(home) as platform, Timeline(platform, {"Pod": _PODS}) as timeline:
            deployer = FailingDeployer(
                kn_lambda=platform.kn_lambda, timeline=timeline, ended_at=by_the_watch
            )
            return deployer.measure(chosen(every), tell)


def main() -> None:
    """Print what was measured."""
    sys.stdout.write(measure(1, tell_aloud).report())


if __name__ == "__main__":
    main()
