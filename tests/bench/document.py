"""Writes docs/BENCHMARKS.md: measured tables between hand-written words."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import daily_commands, deploy_bench, gateway_bench, growth_bench, waking
from tests.bench.bars import bars
from tests.bench.control_function_start import BARE
from tests.bench.deployments import JOURNAL_TIME, PARTS, TOTAL
from tests.bench.failing_starts import FIRST, UPDATE
from tests.bench.runtime_bench import BASELINE
from tests.bench.samples import number, ratio
from tests.helpers.broken_functions import BROKEN_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.bench.failing_starts import FailingStarts
    from tests.bench.results import Results
    from tests.bench.samples import Table
    from tests.bench.waking import Waking

TEMPLATE = Path(__file__).with_name("BENCHMARKS.template.md")
# What `make bench-cluster` writes, and `make bench` leaves as it is.
_CLUSTER_PART = re.compile(r"(?<=<!-- cluster -->\n).*?(?=<!-- /cluster -->)", re.DOTALL)
_LONGEST_LINE = 120


def write_document(results: Results, output: Path) -> None:
    """Replace the file, all but what was measured on a cluster."""
    sections = {
        "machine": _machine(results),
        "bars": lines("what", "bar", "measured", "", rows=[bar.row() for bar in bars(results)]),
        "control": _control(results),
        "runtime": _runtime(results),
        "deploy": _deploy(results),
        "parts": _parts(results),
        "pushed": _pushed(results),
        "wakes": wake_rows(results.waking),
        "refusals": refusal_rows(results.waking),
        "daily": daily_rows(results.daily),
        "failing": failing_rows(results.failing),
        "requests": _requests(results),
        "memory": _memory(results),
        "growth": _growth(results),
    }
    text = fill(TEMPLATE.read_text(), sections)
    output.write_text(with_cluster_part_of(output.read_text() if output.exists() else "", text))


def fill(template: str, sections: Mapping[str, str]) -> str:
    """Put each section where its name stands in two pairs of braces."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: sections[match[1]], template)


def with_cluster_part_of(old: str, new: str) -> str:
    """The new document with what the old one says of a cluster."""
    kept = _CLUSTER_PART.search(old)
    return _replace(new, kept.group()) if kept else new


def replace_cluster_part(document: str, section: str) -> str:
    """The document with another section about a cluster, and nothing else changed."""
    if not _CLUSTER_PART.search(document):
        raise ValueError("the document has no place for a cluster: <!-- cluster -->")
    return _replace(document, section.rstrip("\n") + "\n")


def _replace(document: str, part: str) -> str:
    return _CLUSTER_PART.sub(lambda _: part, document, count=1)


def items(facts: Iterable[str]) -> str:
    """A list of them, no line of which is longer than those of our other documents."""
    wrapper = textwrap.TextWrapper(
        _LONGEST_LINE, initial_indent="- ", subsequent_indent="  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(wrapper.fill(fact) for fact in facts)


def lines(*heads: str, rows: Iterable[str]) -> str:
    """A table."""
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows])


def line(*cells: str) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def _machine(results: Results) -> str:
    minutes = (results.ended - results.begun).total_seconds() / 60
    loads = results.load_averages
    facts = [
        f"Date: {results.begun:%Y-%m-%d}; the run took {minutes:.0f} minutes",
        *results.machine,
        f"Load average meanwhile, own work included: {min(loads):.1f} to {max(loads):.1f}",
    ]
    return items(facts)


def _control(results: Results) -> str:
    bare = results.control[BARE].starts.median
    rows = [
        line(
            name,
            row.starts.text(),
            ratio(row.starts.median, bare),
            row.idle.text(),
            row.first_events.text() if name != BARE else "",
            row.used.text() if name != BARE else "",
        )
        for name, row in results.control.items()
    ]
    heads = ("function", "start -> first 200, ms", "ratio", "PSS idle, MiB")
    return lines(*heads, "first event, ms", "PSS after it, MiB", rows=rows)


def _runtime(results: Results) -> str:
    found = results.requests.runtimes
    if found is None:
        return ""
    start, load, memory = (
        table[BASELINE].median for table in (found.starts, found.loads, found.memory)
    )
    rows = [
        line(
            name,
            found.starts[name].text(),
            ratio(found.starts[name].median, start),
            found.loads[name].text(),
            ratio(found.loads[name].median, load),
            found.memory[name].text(),
            ratio(found.memory[name].median, memory),
        )
        for name in found.starts.names()
    ]
    heads = ("server", "start -> first answer, ms", "ratio", "requests/s", "ratio")
    return lines(*heads, "PSS idle, MiB", "ratio", rows=rows)


def _deploy(results: Results) -> str:
    found = results.deployments
    rows = [
        line(f"Knative Lambda: {scenario}", table[TOTAL].text(), table[JOURNAL_TIME].text())
        for scenario, table in found.tables.items()
    ]
    rows += [
        line(f"by hand: {name}", results.without_us[name].text(), "")
        for name in results.without_us.names()
    ]
    rows.append(line(f"(yardstick) {deploy_bench.BARE}", found.bare.text(), ""))
    rows += [line(f"(once) {name}", found.starts[name].text(), "") for name in found.starts.names()]
    return lines("", "seconds to the first answer", "by the Broker's journal", rows=rows)


def _parts(results: Results) -> str:
    tables = results.deployments.tables
    rows = [
        line(
            scenario,
            *(number(table[part].median) if part in table else "" for part in (*PARTS, TOTAL)),
        )
        for scenario, table in tables.items()
    ]
    return lines("seconds", *PARTS, "sum", rows=rows)


def _pushed(results: Results) -> str:
    found = results.deployments.pushed
    rows = [line(scenario, found[scenario].text()) for scenario in found.names()]
    return lines("", "KiB", rows=rows)


def wake_rows(found: Waking) -> str:
    """Deliveries of one deployment, those that only wake, and processor time by function."""
    rows = []
    for scenario, costs in found.costs.items():
        spent = [
            number(costs.processor[name].median) if name in costs.processor else ""
            for name in waking.FUNCTIONS
        ]
        deliveries = (number(costs.deliveries.median), number(costs.wakes.median))
        rows.append(line(scenario, *deliveries, *spent))
    heads = [f"{name}, s" for name in waking.FUNCTIONS]
    return lines("", "deliveries", "of these only to wake", *heads, rows=rows)


def refusal_rows(found: Waking) -> str:
    """Processor time of a function that `build.start` wakes."""
    steps = (waking.START, waking.FIRST, waking.NEXT)
    rows = [
        line(name, *(table[step].text() for step in steps), f"{table[waking.ANSWER].median:.0f}")
        for name, table in found.woken.items()
    ]
    return lines("processor time, ms", *steps, waking.ANSWER, rows=rows)


def daily_rows(found: Table) -> str:
    """What people wait for, beside the start of an interpreter that does nothing."""
    bare = found[daily_commands.BARE].median
    rows = [
        line(name, found[name].text(), ratio(found[name].median, bare)) for name in found.names()
    ]
    return lines("", "seconds", f"ratio to `{daily_commands.BARE}`", rows=rows)


def failing_rows(found: FailingStarts) -> str:
    """How soon people were told, by language."""
    rows = [
        line(language, *(found.samples(each, language).text() for each in (FIRST, UPDATE)))
        for language in sorted({BROKEN_FUNCTIONS[kind].language for kind, _ in found.seconds})
    ]
    return lines("seconds from the end of the process", FIRST, UPDATE, rows=rows)


def _requests(results: Results) -> str:
    found = results.requests
    rows = []
    for name in found.milliseconds.names():
        samples = found.milliseconds[name]
        load = found.per_second[name].text() if name in found.per_second else ""
        rows.append(
            line(name, number(samples.median), number(samples.percentile(99)),
                 str(len(samples.values)), load)
        )  # fmt: skip
    return lines("", "p50, ms", "p99, ms", "requests", "requests/s, 16 connections", rows=rows)


def _memory(results: Results) -> str:
    found = results.requests
    rows = [
        line("the platform's process, no lambda", number(found.platform_empty)),
        line(
            f"the platform's process, {gateway_bench.LAMBDAS} lambdas", found.platform_full.text()
        ),
        line(f"each of {gateway_bench.LAMBDAS} lambdas that are up, idle", found.lambdas.text()),
    ]
    if found.runtimes is not None:
        alone = found.runtimes.memory
        rows += [
            line(f"one idle process alone: {name}", alone[name].text())
            for name in ("runtime", BASELINE)
        ]
    return lines("", "PSS, MiB", rows=rows)


def _growth(results: Results) -> str:
    growth = results.growth
    sizes = sorted(growth.tables)
    rows = []
    for what in growth_bench.EVENTS:
        cells = [growth.tables[size][what] for size in sizes]
        beside = [growth.references[size][what] for size in sizes]
        rows.append(line(what, *(cell.text() for cell in cells)))
        rows.append(line("the same with 1 lambda, in turns", *(cell.text() for cell in beside)))
        pairs = zip(cells, beside, strict=True)
        rows.append(line("ratio", *(ratio(one.median, other.median) for one, other in pairs)))
    rows.extend(
        line(what, *(growth.tables[size][what].text() for size in sizes))
        for what in growth_bench.WHOLE
    )
    heads = [f"{size:,} lambdas" for size in sizes]
    return lines("ms where nothing else is said", *heads, rows=rows)
