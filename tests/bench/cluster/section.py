"""Writes what was measured on a cluster: tables between hand-written words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import machine
from tests.bench.cluster import burst
from tests.bench.cluster import growth as growing
from tests.bench.cluster.bars import bars
from tests.bench.cluster.moments import BUILDERS, MOMENTS, TOTAL
from tests.bench.cluster.scenarios import SCENARIOS, STATES
from tests.bench.cluster.starts import PLAIN
from tests.bench.cluster.yardsticks import PLAIN as PLAIN_SERVICE
from tests.bench.cluster.yardsticks import WAKE
from tests.bench.document import failing_rows, fill, items, line, lines
from tests.bench.samples import number, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cluster.results import Results
    from tests.bench.cluster.scenarios import Deployments
    from tests.bench.samples import Samples

TEMPLATE = Path(__file__).with_name("section.template.md")
# Processor and memory; the rest are versions of what does not run here.
_KEPT_FACTS = 2
_KIB = 1024


def section(results: Results, note: str = "") -> str:
    """The part of the document."""
    return fill(
        TEMPLATE.read_text(),
        {
            "machine": _machine(results),
            "note": note,
            "bars": lines("what", "bar", "measured", "", rows=[bar.row() for bar in bars(results)]),
            "deployments": deployment_rows(results.deployments),
            "failing": "" if results.failing is None else failing_rows(results.failing),
            "moments": moment_rows(results.deployments),
            "pushed": pushed_rows(results.deployments),
            "costs": cost_rows(results.deployments),
            "starts": _starts(results),
            "bursts": "" if results.bursts is None else burst.rows(results.bursts),
            "growth": _growth(results),
            "memory": _memory(results),
        },
    )


def _machine(results: Results) -> str:
    loads = results.load_averages
    facts = [
        f"Date: {results.begun:%Y-%m-%d}; the run took {results.minutes:.0f} minutes",
        *machine.describe()[:_KEPT_FACTS],
        *results.versions,
        f"Load average meanwhile, own work included: {min(loads):.1f} to {max(loads):.1f}",
        f"Pods that had to wait for room on the node: {results.pods_without_room}",
    ]
    return items(facts)


def deployment_rows(found: Deployments) -> str:
    """Seconds to the first answer, with how often each was measured, below the yardsticks."""
    yardsticks = {
        name: _times(found.yardsticks[name]) if name in found.yardsticks else ""
        for name in (PLAIN_SERVICE, WAKE)
    }
    rows = [
        line("yardstick *plain*", yardsticks[PLAIN_SERVICE], ""),
        line("yardstick *wake*", "", yardsticks[WAKE]),
    ]
    for scenario in SCENARIOS:
        cells = [
            _times(found.seconds[scenario, state][TOTAL])
            if (scenario, state) in found.seconds
            else ""
            for state in STATES
        ]
        rows.append(line(scenario, *cells))
    heads = [f"control functions {state}" for state in STATES]
    return lines("seconds to the first answer", *heads, rows=rows)


def moment_rows(found: Deployments) -> str:
    """Medians since sending; a column for each scenario, since moments are many."""
    columns = list(_columns(found))
    tables = [found.seconds[key] for _, key in columns]
    rows = [
        line(what, *(number(table[what].median) if what in table else "" for table in tables))
        for what in MOMENTS
    ]
    return lines("seconds since sending", *(head for head, _ in columns), rows=rows)


def pushed_rows(found: Deployments) -> str:
    """What came to the registry, where its storage is on this machine."""
    if not found.new_bytes:
        return "Not measured: the storage of this registry is elsewhere."
    rows = [
        line(
            head,
            number(found.new_bytes[key].median / _KIB),
            number(found.again_bytes[key].median / _KIB),
        )
        for head, key in _columns(found)
        if key in found.new_bytes
    ]
    return lines("KiB", "new in the registry", "there before, named anew", rows=rows)


def cost_rows(found: Deployments) -> str:
    """Deliveries of the Broker, and processor time by function."""
    rows = []
    for head, key in _columns(found):
        costs = found.costs[key]
        spent = [
            number(costs.processor[name].median) if name in costs.processor else ""
            for name in BUILDERS
        ]
        deliveries = (number(costs.deliveries.median), number(costs.wakes.median))
        rows.append(line(head, *deliveries, *spent))
    heads = [f"{name}, s" for name in BUILDERS]
    return lines("", "deliveries", "of these only to wake", *heads, rows=rows)


def _columns(found: Deployments) -> Iterator[tuple[str, tuple[str, str]]]:
    for scenario in SCENARIOS:
        for state in STATES:
            if (scenario, state) in found.seconds:
                yield f"{scenario}, {state}", (scenario, state)


def _times(samples: Samples) -> str:
    return f"{samples.text()}, {len(samples.values)} times"


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
        for name in results.functions
    ]
    return lines("PSS, MiB", *(f"records: {size}" for size in growth.memory), rows=rows)
