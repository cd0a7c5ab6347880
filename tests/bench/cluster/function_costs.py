"""What deployments cost the control functions of a cluster on this machine."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench.cluster.broker_events import TRIGGER
from tests.bench.costs import Costs, Delivered, spent_since
from tests.bench.process_accounts import processes_with, processor_seconds, variable_of
from tests.helpers.broker_metrics import deliveries
from tests.helpers.cluster import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cluster.access import MeasuredCluster


@contextmanager
def costs_noted(cluster: MeasuredCluster, costs: Costs) -> Iterator[None]:
    """Count what the Broker delivered meanwhile, and what the functions' processes used.

    Not in it: queue-proxy, and what the node does to start a Pod.
    """
    counted, used = _delivered(cluster), _used(cluster)
    yield
    costs.add(_delivered(cluster) - counted, spent_since(used, _used(cluster)))


def _delivered(cluster: MeasuredCluster) -> Counter[Delivered]:
    found: Counter[Delivered] = Counter()
    for (trigger, type_, _, status), count in deliveries(cluster).items():
        if trigger != TRIGGER:
            found[Delivered(trigger, type_, status)] += count
    return found


def _used(cluster: MeasuredCluster) -> dict[str, dict[str, float]]:
    """Seconds by function and Pod."""
    found: dict[str, dict[str, float]] = {}
    for name in cluster.functions:
        wanted = set(cluster.pods([(CONTROL, name)]))
        pods: defaultdict[str, float] = defaultdict(float)
        for pid in processes_with(f"K_SERVICE={name}"):
            # The embedded platform says K_SERVICE to its functions, too.
            with contextlib.suppress(LookupError, OSError):
                pod = variable_of(pid, "HOSTNAME")
                if pod in wanted:
                    pods[pod] += processor_seconds(pid)
        found[name] = dict(pods)
    return found
