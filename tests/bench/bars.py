"""The bars, what was measured, and whether that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.bench import daily_commands, deploy_bench, failing_starts, growth_bench
from tests.bench.control_function_start import BARE
from tests.bench.deployments import TOTAL
from tests.bench.runtime_bench import BASELINE
from tests.bench.samples import number, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.failing_starts import FailingStarts
    from tests.bench.results import Results
    from tests.bench.samples import Table

CONTROL_START, CONTROL_MIB = 1.3, 80
RUNTIME_START, RUNTIME_REQUESTS = 0.75, 4
UNCHANGED_SECONDS, CODE_FIVE_SECONDS = 0.1, 0.5
DAILY_SECONDS = {
    daily_commands.HELP: 0.15,
    daily_commands.LIST: 0.3,
    daily_commands.SAVE_WATCHED: 1.5,
    daily_commands.SAVE_RUN: 0.5,
}
# "Flat" needs a number: what the noise of one machine does to a median of milliseconds.
FLAT = 1.5


class Bar(NamedTuple):
    """One line of the verdict."""

    what: str
    bar: str
    measured: str
    is_met: bool

    def row(self) -> str:
        """The line of the table."""
        verdict = "met" if self.is_met else "**missed**"
        return f"| {self.what} | {self.bar} | {self.measured} | {verdict} |"


def bars(results: Results) -> Iterator[Bar]:
    """Every bar that can be measured without a cluster."""
    yield from _control_bars(results)
    yield from _runtime_bars(results)
    yield from _deploy_bars(results)
    yield from daily_bars(results.daily)
    yield failing_bar(results.failing, failing_starts.SECONDS)
    yield from _growth_bars(results)


def failing_bar(found: FailingStarts, seconds: float) -> Bar:
    """How soon people are told that a function does not start."""
    return Bar(
        "a start that fails, process ended -> person told",
        f"<= {seconds} s (median and worst)",
        found.text(),
        found.worst() <= seconds,
    )


def _control_bars(results: Results) -> Iterator[Bar]:
    bare = results.control[BARE].starts.median
    ours = {name: row for name, row in results.control.items() if name != BARE}
    slowest = max(ours, key=lambda name: ours[name].starts.median)
    worst = ours[slowest].starts.median
    yield Bar(
        f"control function, process start -> first 200 (slowest: {slowest})",
        f"<= {CONTROL_START}x a bare function",
        f"{ratio(worst, bare)} ({number(worst)} ms / {number(bare)} ms)",
        worst <= CONTROL_START * bare,
    )
    for text, samples in (
        ("idle", {name: row.idle for name, row in ours.items()}),
        ("idle after its first event", {name: row.used for name, row in ours.items()}),
    ):
        largest = max(samples, key=lambda name: samples[name].median)
        mib = samples[largest].median
        what = f"memory of a control function, {text} (largest: {largest})"
        yield Bar(what, f"<= {CONTROL_MIB} MiB PSS", f"{number(mib)} MiB", mib <= CONTROL_MIB)


def _runtime_bars(results: Results) -> Iterator[Bar]:
    runtimes = results.requests.runtimes
    if runtimes is None:
        return
    start, base = runtimes.starts["runtime"].median, runtimes.starts[BASELINE].median
    yield Bar(
        "Python lambda, process start -> first 200",
        f"<= {RUNTIME_START}x functions-framework under gunicorn",
        f"{ratio(start, base)} ({number(start)} ms / {number(base)} ms)",
        start <= RUNTIME_START * base,
    )
    load, base = runtimes.loads["runtime"].median, runtimes.loads[BASELINE].median
    yield Bar(
        "Python lambda, trivial CloudEvent, one process, requests/s",
        f">= {RUNTIME_REQUESTS}x functions-framework under gunicorn",
        f"{ratio(load, base)} ({number(load)} / {number(base)})",
        load >= RUNTIME_REQUESTS * base,
    )


def _deploy_bars(results: Results) -> Iterator[Bar]:
    found = results.deployments
    unchanged, has_job = (
        found.tables[deploy_bench.UNCHANGED],
        deploy_bench.UNCHANGED in found.with_job,
    )
    yield Bar(
        "the same source again, accepted -> first answer",
        f"no Job; <= {UNCHANGED_SECONDS} s",
        f"{'a Job' if has_job else 'no Job'}; {unchanged[TOTAL].text('s')}",
        not has_job and unchanged[TOTAL].median <= UNCHANGED_SECONDS,
    )
    total = found.tables[deploy_bench.CODE_FIVE][TOTAL]
    yield Bar(
        f"{deploy_bench.CODE_FIVE}, accepted -> first answer",
        f"<= {CODE_FIVE_SECONDS} s",
        total.text("s"),
        total.median <= CODE_FIVE_SECONDS,
    )


def daily_bars(found: Table) -> Iterator[Bar]:
    """How long people wait for what they do all day."""
    for what, seconds in DAILY_SECONDS.items():
        samples = found[what]
        yield Bar(what, f"<= {seconds} s", samples.text("s"), samples.median <= seconds)


def _growth_bars(results: Results) -> Iterator[Bar]:
    growth = results.growth
    last = max(growth.tables)
    for what in growth_bench.EVENTS:
        small, large = growth.references[last][what].median, growth.tables[last][what].median
        yield Bar(
            f"{what}, with {last:,} lambdas beside 1",
            f"flat (<= {FLAT}x)",
            f"{ratio(large, small)} ({number(large)} ms / {number(small)} ms)",
            large <= FLAT * small,
        )
