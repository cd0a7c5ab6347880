"""Functions that do not start on a cluster, until the person is told.

`TESTBED_RUN='python -m tests.bench.cluster.failing' testbed/e2e.sh` measures this alone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.bench.cluster.access import WATCHED, MeasuredCluster
from tests.bench.command_line import tell
from tests.bench.failing_starts import FailingDeployer, by_the_kubelet, chosen
from tests.bench.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.failing_starts import FailingStarts

SECONDS = 15


def measure(
    cluster: MeasuredCluster, timeline: Timeline, every: int, tell: Callable[[str], None]
) -> FailingStarts:
    """In the default tenant; what was deployed is deleted."""
    deployer = FailingDeployer(
        kn_lambda=cluster.kn_lambda, timeline=timeline, ended_at=by_the_kubelet
    )
    return deployer.measure(chosen(every), tell)


def main() -> None:
    """Print what was measured."""
    cluster = MeasuredCluster.of_environment()
    with Timeline(cluster.api, WATCHED) as timeline:
        found = measure(cluster, timeline, 1, tell)
    sys.stdout.write(found.report())


if __name__ == "__main__":
    main()
