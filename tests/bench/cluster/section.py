"""Writes what was measured on a cluster: tables between hand-written words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import machine
from tests.bench.bars import (
    CONTROL_MIB,
    CONTROL_START,
    DEPLOY_FIVE_SECONDS,
    DEPLOY_SECONDS,
    FLAT,
    UNCHANGED_SECONDS,
    Bar,
    failing_bar,
)
from tests.bench.cluster import failing
from tests.bench.cluster import growth as growing
from tests.bench.cluster.access import FUNCTIONS
from tests.bench.cluster.deploying import (
    JOB,
    MOMENTS,
    NEW,
    NEW_FIVE,
    SCENARIOS,
    STATES,
    TOTAL,
    UNCHANGED,
)
from tests.bench.cluster.starts import PLAIN
from tests.bench.document import failing_rows, fill, line, lines
from tests.bench.samples import number, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cluster.results import Results
    from tests.bench.samples import Table

TEMPLATE = Path(__file__).with_name("section.template.md")
# Processor and memory; the rest are versions of what does not run here.
_KEPT_FACTS = 2


def section(results: Results, note: str = "") -> str:
    """The part of the document."""
    return fill(
        TEMPLATE.read_text(),
        {
            "machine": _machine(results),
            "note": note,
            "bars": lines("what", "bar", "measured", "", rows=[bar.row() for bar in bars(results)]),
            "deployments": _deployments(results),
            "failing": "" if results.failing is None else failing_rows(results.failing),
            "moments": _moments(results),
            "starts": _starts(results),
            "growth": _growth(results),
            "memory": _memory(results),
        },
    )


def bars(results: Results) -> Iterator[Bar]:
    """The bars of a real cluster."""
    limits = ((NEW, DEPLOY_SECONDS), (NEW_FIVE, DEPLOY_FIVE_SECONDS))
    for scenario, seconds in limits:
        for state, table in _states(results, scenario):
            total = table[TOTAL]
            yield Bar(
                f"{scenario}, control functions {state}: sent -> first answer",
                f"p50 <= {seconds} s",
                total.text("s"),
                total.median <= seconds,
            )
    for state, table in _states(results, UNCHANGED):
        total, has_job = table[TOTAL], JOB in table
        yield Bar(
            f"{UNCHANGED}, control functions {state}: sent -> record Ready and answered",
            f"no Job; p50 <= {UNCHANGED_SECONDS} s",
            f"{'a Job' if has_job else 'no Job'}; {total.text('s')}",
            not has_job and total.median <= UNCHANGED_SECONDS,
        )
    if results.failing is not None:
        yield failing_bar(results.failing, failing.SECONDS)
    yield from _start_bars(results)
    yield from _growth_bars(results)


def _start_bars(results: Results) -> Iterator[Bar]:
    if results.from_zero is None:
        return
    found, base = results.from_zero, results.from_zero[PLAIN].median
    slowest = max(FUNCTIONS, key=lambda name: found[name].median)
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


def _states(results: Results, scenario: str) -> Iterator[tuple[str, Table]]:
    for state in STATES:
        table = results.deployments.get((scenario, state))
        if table is not None:
            yield state, table


def _machine(results: Results) -> str:
    loads = results.load_averages
    facts = [
        f"Date: {results.begun:%Y-%m-%d}; the run took {results.minutes:.0f} minutes",
        *machine.describe()[:_KEPT_FACTS],
        *results.versions,
        f"Load average meanwhile, own work included: {min(loads):.1f} to {max(loads):.1f}",
    ]
    return "\n".join(f"- {fact}" for fact in facts)


def _deployments(results: Results) -> str:
    rows = []
    for scenario in SCENARIOS:
        states = dict(_states(results, scenario))
        cells = [
            f"{states[state][TOTAL].text()}, {len(states[state][TOTAL].values)} times"
            if state in states
            else ""
            for state in STATES
        ]
        rows.append(line(scenario, *cells))
    heads = [f"control functions {state}" for state in STATES]
    return lines("seconds to the first answer", *heads, rows=rows)


def _moments(results: Results) -> str:
    """Medians since sending; a column for each scenario, since moments are many."""
    columns = [
        (f"{scenario}, {state}", table)
        for scenario in SCENARIOS
        for state, table in _states(results, scenario)
    ]
    rows = []
    for what in MOMENTS:
        cells = [
            number(table[what].median) if what in table and table[what].values else ""
            for _, table in columns
        ]
        rows.append(line(what, *cells))
    return lines("seconds since sending", *(head for head, _ in columns), rows=rows)


def _starts(results: Results) -> str:
    from_zero, warm = results.from_zero, results.warm
    if from_zero is None or warm is None:
        return ""
    base, warm_base = from_zero[PLAIN].median, warm[PLAIN].median
    rows = [
        line(
            name,
            from_zero[name].text(),
            ratio(from_zero[name].median, base),
            warm[name].text(),
            ratio(warm[name].median, warm_base),
        )
        for name in from_zero.names()
    ]
    return lines("Service", "from zero, ms", "ratio", "warm, ms", "ratio", rows=rows)


def _growth(results: Results) -> str:
    growth = results.growth
    if growth is None:
        return ""
    rows = [
        line(
            what,
            *(table[what].text() if what in table else "" for table in growth.tables.values()),
        )
        for what in (growing.UNCHANGED, growing.DELETED, growing.CLEANUP, growing.CREATED)
    ]
    return lines("", *(f"records: {size}" for size in growth.tables), rows=rows)


def _memory(results: Results) -> str:
    growth = results.growth
    if growth is None:
        return ""
    rows = [
        line(
            name,
            *(
                found[name].text() if found[name].values else "not running"
                for found in growth.memory.values()
            ),
        )
        for name in FUNCTIONS
    ]
    return lines("PSS, MiB", *(f"records: {size}" for size in growth.memory), rows=rows)
