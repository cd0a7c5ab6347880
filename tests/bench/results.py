"""All that one run measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.bench import (
    control_function_start,
    daily_commands,
    deploy_bench,
    failing_starts,
    gateway_bench,
    growth_bench,
    machine,
    waking,
    yardstick,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.control_function_start import Row
    from tests.bench.deploy_bench import Deployments
    from tests.bench.failing_starts import FailingStarts
    from tests.bench.gateway_bench import Requests
    from tests.bench.growth_bench import Growth
    from tests.bench.samples import Table
    from tests.bench.waking import Waking


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much is measured; more gives steadier medians and takes longer."""

    control_runs: int
    control_records: int
    deploy_rounds: int
    waking_rounds: int
    deploy_repeats: int
    daily_runs: int
    failing_every: int
    """Of the kinds of broken functions, each so manieth."""
    yardstick_rounds: int
    gateway_rounds: int
    requests: int
    load_seconds: float
    runtime_starts: int
    runtime_loads: int
    sizes: tuple[int, ...]
    growth_repeats: int


FULL = Amount(
    control_runs=7, control_records=10_000,
    deploy_rounds=3, waking_rounds=5, deploy_repeats=4, daily_runs=9, failing_every=1,
    yardstick_rounds=2, gateway_rounds=2, requests=500,
    load_seconds=2, runtime_starts=9, runtime_loads=3,
    sizes=(1, 100, 1_000, 10_000), growth_repeats=9,
)  # fmt: skip
QUICK = Amount(
    control_runs=3, control_records=1_000,
    deploy_rounds=1, waking_rounds=1, deploy_repeats=2, daily_runs=3, failing_every=5,
    yardstick_rounds=1, gateway_rounds=1, requests=100,
    load_seconds=1, runtime_starts=3, runtime_loads=1,
    sizes=(1, 100), growth_repeats=3,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Results:
    """One run on one machine."""

    machine: list[str]
    begun: datetime
    ended: datetime
    load_averages: list[float]
    control: dict[str, Row]
    deployments: Deployments
    waking: Waking
    without_us: Table
    daily: Table
    failing: FailingStarts
    requests: Requests
    growth: Growth


def measure(amount: Amount, tell: Callable[[str], None]) -> Results:
    """Measure everything, one after the other."""
    loads = [machine.load_average()]
    begun = datetime.now(UTC)

    def step(text: str) -> None:
        loads.append(machine.load_average())
        tell(text)

    step("control functions beside a bare functions-framework function")
    control = control_function_start.measure(amount.control_runs, amount.control_records)
    step("deployments")
    deployments = deploy_bench.measure(amount.deploy_rounds, amount.deploy_repeats)
    step("what waking costs")
    woken = waking.measure(amount.waking_rounds)
    step("the commands of every day")
    daily = daily_commands.measure(amount.daily_runs)
    step("functions that do not start")
    failing = failing_starts.measure(amount.failing_every, lambda _: None)
    step("the same functions with venv, installer and functions-framework")
    without_us = yardstick.measure(amount.yardstick_rounds)
    step("requests, and the runtime beside functions-framework under gunicorn")
    requests = gateway_bench.measure(
        amount.gateway_rounds,
        amount.requests,
        amount.load_seconds,
        starts=amount.runtime_starts,
        loads=amount.runtime_loads,
    )
    step(f"growth to {amount.sizes[-1]:,} lambdas")
    growth = growth_bench.measure(amount.sizes, amount.growth_repeats)
    loads.append(machine.load_average())
    return Results(
        machine=machine.describe(),
        begun=begun,
        ended=datetime.now(UTC),
        load_averages=loads,
        control=control,
        deployments=deployments,
        waking=woken,
        without_us=without_us,
        daily=daily,
        failing=failing,
        requests=requests,
        growth=growth,
    )
