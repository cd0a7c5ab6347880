"""Requests to lambdas through the gateway, from zero and warm, and what idle lambdas hold."""

from __future__ import annotations

import http.client
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.bench import runtime_bench
from tests.bench.deployments import Deployer
from tests.bench.functions import RUNTIME, WITHOUT_PACKAGES, event
from tests.bench.platform_process import Connection, Platform
from tests.bench.process_accounts import parent_of, processes_with, pss_mib, variable_of
from tests.bench.runtime_bench import BASELINE, SERVERS, requests_per_second
from tests.bench.samples import Samples, Table
from tests.bench.timeline import Timeline

if TYPE_CHECKING:
    from tests.bench.runtime_bench import Comparison

LAMBDAS = 10
COLD = "from zero, through the gateway"
GATEWAY = "warm, through the gateway"
DIRECT = "warm, the same process directly"
FRAMEWORK = "warm, functions-framework under gunicorn directly"


@dataclass
class Requests:
    """Milliseconds and requests/s by way; MiB of the platform, and of each of ten lambdas."""

    milliseconds: Table = field(default_factory=Table)
    per_second: Table = field(default_factory=Table)
    platform_empty: float = 0.0
    platform_full: Samples = field(default_factory=Samples)
    lambdas: Samples = field(default_factory=Samples)
    runtimes: Comparison | None = None


def measure(
    rounds: int, requests: int, load_seconds: float, *, starts: int, loads: int
) -> Requests:
    """Serve ten lambdas; each round starts the platform again, with all of them at zero."""
    found = Requests()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _deploy_ten(home, found)
        for _ in range(rounds):
            with Platform(home) as platform:
                _ask_ten_at_zero(platform, found)
                found.platform_full.add(pss_mib(platform.pid, with_children=False))
                for number in range(LAMBDAS):
                    found.lambdas.add(pss_mib(_process_of(platform, _name(number))))
                _ask_one(platform, found, requests, load_seconds)
                _ask_framework(home / "runtimes" / RUNTIME, found, requests, load_seconds)
        found.runtimes = runtime_bench.measure(
            home / "runtimes" / RUNTIME, starts=starts, loads=loads, seconds=load_seconds
        )
    return found


def _name(number: int) -> str:
    return f"lambda-{number}"


def _deploy_ten(home: Path, found: Requests) -> None:
    with Platform(home) as platform, Timeline(platform) as timeline:
        found.platform_empty = pss_mib(platform.pid, with_children=False)
        deployer = Deployer(platform, timeline)
        for number in range(LAMBDAS):
            deployer.deploy(_name(number), WITHOUT_PACKAGES, number)


def _ask_ten_at_zero(platform: Platform, found: Requests) -> None:
    connection = platform.gateway()
    connection.request("GET", "/health")
    for number in range(LAMBDAS):
        found.milliseconds[COLD].add(_ask(connection, f"/default/{_name(number)}"))


def _ask_one(platform: Platform, found: Requests, requests: int, load_seconds: float) -> None:
    environment = platform.home / "runtimes" / RUNTIME
    port = int(variable_of(_process_of(platform, _name(0)), "PORT"))
    direct, gateway = Connection(f"http://127.0.0.1:{port}"), platform.gateway()
    for _ in range(requests):
        found.milliseconds[GATEWAY].add(_ask(gateway, f"/default/{_name(0)}"))
        found.milliseconds[DIRECT].add(_ask(direct, "/"))
    found.per_second[DIRECT].add(requests_per_second(environment, port, load_seconds))
    gateway_port = urlsplit(platform.urls["gateway"]).port or 0
    host = f"{_name(0)}.default.localhost"
    found.per_second[GATEWAY].add(
        requests_per_second(environment, gateway_port, load_seconds, host=host)
    )


def _ask_framework(environment: Path, found: Requests, requests: int, load_seconds: float) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        runtime_bench.running(SERVERS[BASELINE], environment, Path(folder)) as (_process, port),
    ):
        connection = Connection(f"http://127.0.0.1:{port}")
        for _ in range(requests):
            found.milliseconds[FRAMEWORK].add(_ask(connection, "/"))
        found.per_second[FRAMEWORK].add(requests_per_second(environment, port, load_seconds))


def _ask(connection: Connection, path: str) -> float:
    data, attributes = event(WITHOUT_PACKAGES)
    begin = time.perf_counter()
    status, answer = connection.send_event(path, data, **attributes)
    took = (time.perf_counter() - begin) * 1000
    if status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {status}: {answer.decode()}")
    return took


def _process_of(platform: Platform, name: str) -> int:
    """The process of a lambda of that very platform, below what holds it in its sandbox."""
    ours = set(processes_with(f"KN_LAMBDA_EMBEDDED={platform.home.resolve()}"))
    found = ours & set(processes_with(f"FUNCTION_NAME=default/{name}"))
    found -= {parent_of(pid) for pid in found}
    if len(found) != 1:
        raise LookupError(f"{len(found)} processes serve {name}")
    return found.pop()
