"""The part of the document about a cluster, whatever of it could be measured."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.bench.cluster.deploying import Deployed
from tests.bench.cluster.growth import AGAIN, CLEANUP, CREATED, DELETED, UNCHANGED, Growth
from tests.bench.cluster.moments import TOTAL
from tests.bench.cluster.results import Results, pods_without_room
from tests.bench.cluster.scenarios import NEW, WARM
from tests.bench.cluster.section import section
from tests.bench.cluster.starts import LAMBDA, PLAIN
from tests.bench.cluster.yardsticks import PLAIN as PLAIN_SERVICE
from tests.bench.cluster.yardsticks import WAKE
from tests.bench.costs import Costs
from tests.bench.samples import Samples, Table
from tests.bench.timeline import Seen

FUNCTIONS = ("build-start", "publish", "build-complete")


def table_of(*names: str) -> Table:
    table = Table()
    for name in names:
        table[name].add(1.0)
    return table


def results() -> Results:
    found = Results(["Kubernetes 1"], datetime.now(UTC), functions=FUNCTIONS)
    found.load_averages = [1.0]
    found.from_zero = table_of(PLAIN, LAMBDA, *FUNCTIONS)
    found.warm = table_of(PLAIN, LAMBDA, *FUNCTIONS)
    found.deployments.yardsticks = table_of(PLAIN_SERVICE, WAKE)
    found.deployments.add((NEW, WARM), Deployed({TOTAL: 2.0}, None))
    found.deployments.costs[NEW, WARM] = Costs(Samples([5]), Samples([2]))
    return found


def test_a_run_that_ended_early_says_what_it_has():
    text = section(results(), "a note")
    assert "{{" not in text
    assert "| p50 <= 1.6x plain | 2.00x (2.00 s / 1.00 s) | **missed** |" in text
    assert "a note" in text


def test_a_whole_run_says_everything():
    whole = results()
    whole.growth = Growth(
        {size: table_of(UNCHANGED, DELETED, CLEANUP, CREATED) for size in ("1", "100", AGAIN)},
        {size: {name: Samples([40]) for name in FUNCTIONS} for size in ("1", "100", AGAIN)},
    )
    text = section(whole)
    assert "{{" not in text
    assert "| publish | 40.0 | 40.0 | 40.0 |" in text
    assert "| dead-letter |" not in text


def test_pods_that_had_to_wait_for_room_are_counted_once():
    def seen(name: str, **condition: str) -> Seen:
        pod = {
            "metadata": {"namespace": "n", "name": name},
            "status": {"conditions": [{"type": "PodScheduled", **condition}]},
        }
        return Seen(1.0, "Pod", pod)

    full = {"status": "False", "reason": "Unschedulable"}
    changes = [seen("a", **full), seen("a", **full), seen("a", status="True"), seen("b", **full)]
    assert pods_without_room([*changes, seen("c", status="True")]) == 2
