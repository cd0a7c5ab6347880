"""Cost of one event as the number of lambdas grows."""

from __future__ import annotations

import http.client
import itertools
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.deployments import TOTAL, Deployer
from tests.bench.functions import WITHOUT_PACKAGES
from tests.bench.platform_process import Platform
from tests.bench.process_accounts import processor_milliseconds, pss_mib
from tests.bench.samples import Table
from tests.bench.sink import Sink
from tests.bench.standing_services import add_services
from tests.bench.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.platform_process import Connection

REAL = "real"
UNCHANGED = "build.start, unchanged source -> first answer"
CHANGED = "build.start, changed source -> first answer"
MATCHING = "tenant event accepted -> delivered (1 Trigger of N matches)"
MATCHING_CPU = "tenant event, processor time of the platform"
CLEANUP = "cleanup, all records read"
MEMORY = "PSS of the platform, MiB"
START = "platform start, s"
CREATED = "objects created per second"
EVENTS = (UNCHANGED, CHANGED, MATCHING, MATCHING_CPU)
WHOLE = (CLEANUP, MEMORY, START, CREATED)
_RECORDS = "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions"
_TRIGGERS = "/apis/eventing.knative.dev/v1/namespaces/default/triggers"
_WRITERS = 4
_PATIENCE_SECONDS = 120.0
_DELIVERIES = 50
# Of processor time in a second: its timers alone.
_AT_REST_MILLISECONDS = 50
_versions = itertools.count(1)


@dataclass
class Growth:
    """Milliseconds by number of lambdas: of the platform that grows, and of one that does not."""

    tables: dict[int, Table] = field(default_factory=dict)
    references: dict[int, Table] = field(default_factory=dict)


def measure(sizes: Sequence[int], repeats: int) -> Growth:
    """Grow one platform; each lambda has record, Trigger, Service and Revision, and one runs.

    A second platform keeps one lambda and takes turns, so that both see the same machine.
    """
    found = Growth()
    with (
        tempfile.TemporaryDirectory() as folder,
        Sink() as sink,
        Platform(Path(folder) / "growing") as growing,
        Platform(Path(folder) / "small") as small,
    ):
        for platform in (growing, small):
            with Timeline(platform) as timeline:
                Deployer(platform, timeline).deploy(REAL, WITHOUT_PACKAGES, 0)
        lambdas = _Lambdas(growing, sink.url)
        _Lambdas(small, sink.url).grow(1)
        for size in sizes:
            table, reference = Table(), Table()
            found.tables[size], found.references[size] = table, reference
            table[CREATED].add(lambdas.grow(size))
            lambdas.add_services()
            table[START].add(growing.start_seconds)
            _measure_deliveries({growing: table, small: reference}, sink)
            _measure_deployments({growing: table, small: reference}, repeats)
            _measure_whole(growing, table)
    return found


def _measure_deliveries(tables: Mapping[Platform, Table], sink: Sink) -> None:
    brokers = {platform: platform.broker() for platform in tables}
    for number in range(_DELIVERIES):
        for platform, table in tables.items():
            before = processor_milliseconds(platform.pid)
            seconds = _deliver(brokers[platform], sink, f"{time.time()}-{number}")
            table[MATCHING].add(seconds * 1000)
            table[MATCHING_CPU].add(processor_milliseconds(platform.pid) - before)


def _measure_deployments(tables: Mapping[Platform, Table], repeats: int) -> None:
    with ExitStack() as stack:
        deployers = {
            platform: Deployer(platform, stack.enter_context(Timeline(platform)))
            for platform in tables
        }
        for deployer in deployers.values():
            deployer.deploy(REAL, WITHOUT_PACKAGES, 0)  # starts what had gone to zero meanwhile
        for what in [UNCHANGED] * repeats + [CHANGED] * repeats:
            version = 0 if what == UNCHANGED else next(_versions)
            for platform, table in tables.items():
                deployed = deployers[platform].deploy(REAL, WITHOUT_PACKAGES, version)
                table[what].add(deployed.seconds[TOTAL] * 1000)


def _measure_whole(platform: Platform, table: Table) -> None:
    broker = platform.broker()
    _clean_up(broker, f"first-{time.time()}")  # starts the function
    table[CLEANUP].add(_clean_up(broker, f"second-{time.time()}") * 1000)
    table[MEMORY].add(pss_mib(platform.pid, with_children=False))


class _Lambdas:
    """Objects as build-complete leaves them."""

    def __init__(self, platform: Platform, sink_url: str) -> None:
        self._platform = platform
        self._sink_url = sink_url
        self._record = platform.api().json("GET", f"{_RECORDS}/{REAL}")
        self._size = 0
        self._with_service = 1

    def grow(self, size: int) -> float:
        """Add lambdas until there are so many, and say how fast that went."""
        begin, wanted = time.perf_counter(), range(self._size, size)
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(self._add, [wanted[each::_WRITERS] for each in range(_WRITERS)]))
        self._size = size
        # The platform follows what was written before anything is measured.
        self._settle(f"{_TRIGGERS}/trigger-{size - 1}")
        return 2 * len(wanted) / (time.perf_counter() - begin)

    def add_services(self) -> None:
        """Add the Services of all that have none yet, which needs a restart."""
        names = [f"lambda-{number}" for number in range(self._with_service, self._size)]
        with self._platform.stopped():
            add_services(self._platform.home, REAL, names)
        self._with_service = self._size
        self._rest()

    def _add(self, numbers: Sequence[int]) -> None:
        api = self._platform.api()
        for number in numbers:
            api.json("POST", _TRIGGERS, self._trigger(number))
            if number:
                self._add_record(api, f"lambda-{number}")
        api.close()

    def _add_record(self, api: Connection, name: str) -> None:
        metadata = {
            "name": name,
            **{key: self._record["metadata"][key] for key in ("labels", "annotations")},
        }
        created = api.json("POST", _RECORDS, {**self._record, "metadata": metadata})
        created["status"] = self._record["status"]
        api.json("PUT", f"{_RECORDS}/{name}/status", created)

    def _trigger(self, number: int) -> dict[str, Any]:
        return {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": f"trigger-{number}", "namespace": "default"},
            "spec": {
                "broker": "default",
                "filters": [
                    {"exact": {"type": f"com.example.measured.{number}"}},
                    {"not": {"exact": {"lambdafunction": f"default/lambda-{number}"}}},
                ],
                "subscriber": {"uri": self._sink_url},
            },
        }

    def _rest(self) -> None:
        """Wait until what a start leaves to be done is done."""
        pid, deadline = self._platform.pid, time.monotonic() + _PATIENCE_SECONDS
        before, now = 0.0, processor_milliseconds(pid)
        while now - before > _AT_REST_MILLISECONDS:
            if time.monotonic() > deadline:
                raise TimeoutError("the platform does not come to rest after its start")
            time.sleep(1)
            before, now = now, processor_milliseconds(pid)

    def _settle(self, trigger: str) -> None:
        api, deadline = self._platform.api(), time.monotonic() + _PATIENCE_SECONDS
        while not api.json("GET", trigger).get("status"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{trigger} has no status")
            time.sleep(0.02)
        api.close()


def _deliver(broker: Connection, sink: Sink, identity: str) -> float:
    begin = time.perf_counter()
    attributes = {"id": identity, "source": "/bench", "type": "com.example.measured.0"}
    status, answer = broker.send_event("/default/default", {}, **attributes)
    if status != http.HTTPStatus.ACCEPTED:
        raise RuntimeError(f"the Broker answered {status}: {answer.decode()}")
    return sink.arrival(identity) - begin


def _clean_up(broker: Connection, identity: str) -> float:
    """Seconds until `cleanup.done` was accepted."""
    begin, deadline = time.perf_counter(), time.monotonic() + _PATIENCE_SECONDS
    attributes = {
        "id": identity, "source": "/bench", "type": "dev.knative-lambda.cleanup.v1",
        "correlationid": identity,
    }  # fmt: skip
    broker.send_event("/knative-lambda/knative-lambda", {"dryRun": True}, **attributes)
    while time.monotonic() < deadline:
        page = broker.json("GET", f"/-/events?limit=5&correlation={identity}")
        if any("cleanup.done" in item["attributes"]["type"] for item in page["events"]):
            return time.perf_counter() - begin
        time.sleep(0.01)
    raise TimeoutError("cleanup does not end")
