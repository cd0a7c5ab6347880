"""The bars of a real cluster: deployments beside what Knative itself needs in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.bars import CONTROL_MIB, CONTROL_START, FLAT, Bar, failing_bar
from tests.bench.builds import JOB
from tests.bench.cluster import failing
from tests.bench.cluster import growth as growing
from tests.bench.cluster.moments import TOTAL
from tests.bench.cluster.scenarios import (
    CODE,
    CODE_FIVE,
    NEW,
    NEW_FIVE,
    STATES,
    UNCHANGED,
    WARM,
    ZERO,
    Deployments,
)
from tests.bench.cluster.starts import PLAIN as PLAIN_FUNCTION
from tests.bench.cluster.yardsticks import PLAIN, WAKE
from tests.bench.samples import number, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cluster.results import Results
    from tests.bench.samples import Table

RATIOS = {
    (NEW, WARM): 1.6, (CODE, WARM): 1.6, (CODE_FIVE, WARM): 1.6, (NEW_FIVE, WARM): 3.0,
    (NEW, ZERO): 1.5, (CODE, ZERO): 1.5, (CODE_FIVE, ZERO): 1.5, (NEW_FIVE, ZERO): 2.0,
}  # fmt: skip
"""Times `plain` while the control functions are warm, times `plain` + `wake` while at zero."""
UNCHANGED_WARM_SECONDS, UNCHANGED_ZERO_RATIO = 0.1, 1.2


def bars(results: Results) -> Iterator[Bar]:
    """Each bar of which something was measured."""
    yield from deployment_bars(results.deployments)
    if results.failing is not None:
        yield failing_bar(results.failing, failing.SECONDS)
    yield from _start_bars(results)
    yield from _growth_bars(results)


def deployment_bars(found: Deployments) -> Iterator[Bar]:
    """Deployments beside the yardsticks."""
    if not all(found.yardsticks[name].values for name in (PLAIN, WAKE)):
        return
    for key, limit in RATIOS.items():
        if key in found.seconds:
            yield _ratio_bar(found, key, limit)
    for state in STATES:
        if (UNCHANGED, state) in found.seconds:
            yield _unchanged_bar(found, state)


def base_of(found: Deployments, state: str) -> float:
    """The seconds to which deployments in that state are compared."""
    plain, wake = (found.yardsticks[name].median for name in (PLAIN, WAKE))
    return plain if state == WARM else plain + wake


def _ratio_bar(found: Deployments, key: tuple[str, str], limit: float) -> Bar:
    (scenario, state), base = key, base_of(found, key[1])
    seconds = found.seconds[key][TOTAL].median
    yardstick = "plain" if state == WARM else "(plain + wake)"
    return Bar(
        f"{scenario}, control functions {state}: sent -> first answer",
        f"p50 <= {limit}x {yardstick}",
        f"{ratio(seconds, base)} ({number(seconds)} s / {number(base)} s)",
        seconds <= limit * base,
    )


def _unchanged_bar(found: Deployments, state: str) -> Bar:
    table: Table = found.seconds[UNCHANGED, state]
    seconds, has_job = table[TOTAL].median, JOB in table
    wake = found.yardsticks[WAKE].median
    is_warm = state == WARM
    limit = UNCHANGED_WARM_SECONDS if is_warm else UNCHANGED_ZERO_RATIO * wake
    bar = f"{UNCHANGED_WARM_SECONDS} s" if is_warm else f"{UNCHANGED_ZERO_RATIO}x wake"
    measured = (
        table[TOTAL].text("s")
        if is_warm
        else f"{ratio(seconds, wake)} ({number(seconds)} s / {number(wake)} s)"
    )
    return Bar(
        f"{UNCHANGED}, control functions {state}: sent -> record Ready and answered",
        f"no Job; p50 <= {bar}",
        f"{'a Job' if has_job else 'no Job'}; {measured}",
        not has_job and seconds <= limit,
    )


def _start_bars(results: Results) -> Iterator[Bar]:
    found = results.from_zero
    if found is None or not found[PLAIN_FUNCTION].values:
        return
    base = found[PLAIN_FUNCTION].median
    slowest = max(results.functions, key=lambda name: found[name].median)
    worst = found[slowest].median
    yield Bar(
        f"control function from zero -> first answer (slowest: {slowest})",
        f"<= {CONTROL_START}x a plain function",
        f"{ratio(worst, base)} ({number(worst)} ms / {number(base)} ms)",
        worst <= CONTROL_START * base,
    )


def _growth_bars(results: Results) -> Iterator[Bar]:
    growth = results.growth
    if growth is None:
        return
    sizes = [size for size in growth.tables if size != growing.AGAIN]
    for what in (growing.UNCHANGED, growing.DELETED):
        small, large = (growth.tables[size][what].median for size in (sizes[0], sizes[-1]))
        yield Bar(
            f"{what.partition(', ms')[0]}, with {sizes[-1]} records beside {sizes[0]}",
            f"flat (<= {FLAT}x)",
            f"{ratio(large, small)} ({number(large)} ms / {number(small)} ms)",
            large <= FLAT * small,
        )
    for size in (sizes[0], sizes[-1]):
        most = {
            name: max(samples.values)
            for name, samples in growth.memory[size].items()
            if samples.values
        }
        largest = max(most, key=lambda name: most[name])
        yield Bar(
            f"memory of a control function after events, records: {size} (largest: {largest})",
            f"<= {CONTROL_MIB} MiB PSS",
            f"{number(most[largest])} MiB",
            most[largest] <= CONTROL_MIB,
        )
