"""Cost of one event, and memory of the control functions, as the number of records grows."""

from __future__ import annotations

import contextlib
import http.client
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.bench.cluster.moments import RECORD_READY
from tests.bench.cluster.starts import NAMESPACE
from tests.bench.functions import WITHOUT_PACKAGES
from tests.bench.process_accounts import processes_with, pss_of, variable_of
from tests.bench.samples import Samples, Table
from tests.helpers.cluster import CONTROL, RECORDS, TENANT
from tests.helpers.lambda_platform import DELETE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.cluster.deploying import Deployer

UNCHANGED = "build.start, unchanged source -> record Ready, ms"
DELETED = "delete of an unknown lambda -> Broker has delivered all, ms"
CLEANUP = "cleanup, one pass (dry run), s"
CREATED = "records written per second"
AGAIN = "1 again"
_RECORDS = f"/apis/knative-lambda.dev/v1alpha1/namespaces/{NAMESPACE}/lambdafunctions"
_WRITERS = 6
_GONE_SECONDS = 180.0


@dataclass
class Growth:
    """What was measured by number of records, as a table's head says it."""

    tables: dict[str, Table] = field(default_factory=dict)
    memory: dict[str, dict[str, Samples]] = field(default_factory=dict)
    beside: int = 0


@dataclass
class Growing:
    """Adds records to a tenant of its own; the events are about one lambda of another."""

    cluster: MeasuredCluster
    deployer: Deployer
    name: str
    version: int
    repeats: int
    found: Growth = field(default_factory=Growth)

    def measure(self, sizes: Sequence[int], tell: Callable[[str], None]) -> Growth:
        """At each size, then once more with a single record, which shows what else changed."""
        self.found.beside = len(self.cluster.api.list(RECORDS))
        template = self.cluster.api.get(f"{RECORDS}/{self.name}") or {}
        written = 0
        for size in sizes:
            tell(f"growth: {size:,} records")
            table = self.found.tables.setdefault(f"{size:,}", Table())
            begin, wanted = time.perf_counter(), range(written, size)
            _write(self.cluster, template, wanted)
            table[CREATED].add(len(wanted) / (time.perf_counter() - begin))
            written = size
            self._measure_one(f"{size:,}")
        tell("growth: records removed")
        _remove_but_first(self.cluster)
        self._measure_one(AGAIN)
        return self.found

    def _measure_one(self, label: str) -> None:
        table = self.found.tables.setdefault(label, Table())
        self._unchanged()  # starts what is at zero
        self._delete()
        letter = {"id": uuid.uuid4().hex, "source": "/bench", "type": "com.example.measured"}
        self.cluster.function_connection("dead-letter").send_event("/", {}, **letter)
        for _ in range(self.repeats):
            table[UNCHANGED].add(self._unchanged() * 1000)
            table[DELETED].add(self._delete() * 1000)
        # A pass over many records is so long that the others are at zero afterwards.
        memory = memory_of_functions(self.cluster)
        table[CLEANUP].add(self._clean_up())
        after = memory_of_functions(self.cluster)
        self.found.memory[label] = {**memory, "cleanup": after["cleanup"]}

    def _unchanged(self) -> float:
        found = self.deployer.deploy_again(self.name, WITHOUT_PACKAGES, self.version)
        return found.seconds[RECORD_READY]

    def _delete(self) -> float:
        subject, now = f"{TENANT}/bench-unknown", datetime.now(UTC).isoformat()
        begin = time.perf_counter()
        status, answer = self.cluster.send(DELETE, subject, {}, time=now)
        if status != http.HTTPStatus.ACCEPTED:
            raise RuntimeError(f"the Broker answered {status}: {answer.decode()}")
        return time.perf_counter() - begin

    def _clean_up(self) -> float:
        """Not by the Broker, which would only add its own milliseconds."""
        connection = self.cluster.function_connection("cleanup")
        context = {"id": uuid.uuid4().hex, "source": "/bench"}
        connection.send_event("/", {}, type="com.example.measured", **context)  # starts it
        begin = time.perf_counter()
        type_ = "dev.knative-lambda.cleanup.v1"
        status, answer = connection.send_event("/", {"dryRun": True}, type=type_, **context)
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"cleanup answered {status}: {answer.decode()}")
        return time.perf_counter() - begin


def memory_of_functions(cluster: MeasuredCluster) -> dict[str, Samples]:
    """PSS of each function's container, MiB: one value for each Pod that runs on this machine."""
    found: dict[str, Samples] = {}
    for name in cluster.functions:
        wanted, pods = set(cluster.pods([(CONTROL, name)])), Table()
        for pid in processes_with(f"K_SERVICE={name}"):
            # The embedded platform says K_SERVICE to its functions, too.
            with contextlib.suppress(LookupError, OSError):
                pod = variable_of(pid, "HOSTNAME")
                if pod in wanted:
                    pods[pod].add(pss_of(pid))
        found[name] = Samples(sum(pods[pod].values) for pod in pods.names())
    return found


def _write(cluster: MeasuredCluster, template: dict[str, Any], wanted: Sequence[int]) -> None:
    """Records as build-complete leaves them; they have no Services."""
    labels = {**template["metadata"]["labels"], "knative-lambda.dev/function-namespace": NAMESPACE}
    annotations = template["metadata"]["annotations"]

    def write(numbers: Sequence[int]) -> None:
        api = cluster.api.connection()
        for number in numbers:
            name = f"lambda-{number}"
            own = {"knative-lambda.dev/function-name": name, "app.kubernetes.io/name": name}
            metadata = {"name": name, "labels": {**labels, **own}, "annotations": annotations}
            made = api.json("POST", _RECORDS, {**template, "metadata": metadata})
            made["status"] = template["status"]
            api.json("PUT", f"{_RECORDS}/{name}/status", made)
        api.close()

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, [wanted[each::_WRITERS] for each in range(_WRITERS)]))


def _remove_but_first(cluster: MeasuredCluster) -> None:
    api = cluster.api.connection()
    api.json("DELETE", f"{_RECORDS}?fieldSelector=metadata.name!=lambda-0")
    deadline = time.monotonic() + _GONE_SECONDS
    while len(api.json("GET", f"{_RECORDS}?limit=2")["items"]) > 1:
        if time.monotonic() > deadline:
            raise TimeoutError("the records are not gone")
        time.sleep(0.5)
    api.close()
