"""What a burst capacity does to warm requests, to a burst on one instance, and to one from zero."""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tests.bench.cluster.access import MeasuredCluster
from tests.bench.document import line, lines
from tests.bench.functions import RUNTIME
from tests.bench.samples import Samples, Table
from tests.helpers.cluster import TENANT
from tests.helpers.lambda_platform import BUILD_START, DELETE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CAPACITIES = (0, 20, 200)
"""Never a buffer while it runs; a small one; Knative's own default."""

REST, BURST, ZERO = "at rest", "burst on one instance", "burst from zero"
P50, P99, PER_SECOND = "p50, ms", "p99, ms", "requests/s"
FAILURES, INSTANCES = "failures", "instances afterwards"
_CONNECTIONS = 16
_AT_ONCE = 50
_WORK_SECONDS = 0.1
_SETTLE_SECONDS = 8.0
_SETTLE_PAUSE_SECONDS = 0.2
_PAUSE_SECONDS = 3.0
_PATIENCE_SECONDS = 120.0
# It waits as a function waits for a database: the processor is not what is measured.
_SOURCE = """\
import time


def handler(event):
    time.sleep((event.data or {}).get("seconds", 0))
    return {"seconds": 0}
"""


class Answer(NamedTuple):
    """Status of one request, 0 for a broken connection, and how long it took."""

    status: int
    milliseconds: float


@dataclass
class Bursts:
    """Tables of P50, P99, PER_SECOND, FAILURES and INSTANCES by capacity and situation."""

    tables: dict[tuple[int, str], Table] = field(default_factory=dict)

    def of(self, capacity: int, situation: str) -> Table:
        """The table of one capacity in one situation."""
        return self.tables.setdefault((capacity, situation), Table())


@dataclass
class Bursting:
    """One lambda for each capacity, asked in turns; who is first changes from round to round."""

    cluster: MeasuredCluster
    names: dict[int, str] = field(default_factory=dict)
    found: Bursts = field(default_factory=Bursts)

    def measure(self, rounds: int, load_seconds: float, tell: Callable[[str], None]) -> Bursts:
        """Deploy, measure, and delete."""
        try:
            for capacity in CAPACITIES:
                tell(f"burst capacity {capacity}: deploying")
                self.names[capacity] = self._deploy(capacity)
            for number_ in range(rounds):
                first = number_ % len(CAPACITIES)
                turns = CAPACITIES[first:] + CAPACITIES[:first]
                tell(f"bursts, round {number_ + 1} of {rounds}: from zero")
                self._from_zero(turns)
                tell(f"bursts, round {number_ + 1} of {rounds}: warm")
                self._warm(turns, load_seconds)
        finally:
            self._remove_all()
        return self.found

    def _deploy(self, capacity: int) -> str:
        name = f"bench-burst-{uuid.uuid4().hex[:8]}"
        source = {"inline": {"main.py": _SOURCE}}
        spec = {"runtime": RUNTIME, "source": source, "scale": {"burstCapacity": capacity}}
        now = datetime.now(UTC).isoformat()
        # Some Brokers answer when the whole chain is over.
        arguments = (BUILD_START, f"{TENANT}/{name}", spec)
        sender = threading.Thread(
            target=self.cluster.send, args=arguments, kwargs={"time": now}, daemon=True
        )
        sender.start()
        record = self.cluster.await_phase(name, "Ready", "Failed")
        sender.join(_PATIENCE_SECONDS)
        if record["status"]["phase"] != "Ready":
            raise RuntimeError(f"{name} failed: {record['status']}")
        return name

    def _remove_all(self) -> None:
        for name in self.names.values():
            now = datetime.now(UTC).isoformat()
            self.cluster.send(DELETE, f"{TENANT}/{name}", {}, time=now)

    def _sleep(self) -> None:
        self.cluster.sleep_until_zero([(TENANT, name) for name in self.names.values()])

    def _from_zero(self, turns: Sequence[int]) -> None:
        self._sleep()
        for capacity in turns:
            self._burst(capacity, ZERO)
            time.sleep(_PAUSE_SECONDS)  # what it started settles

    def _warm(self, turns: Sequence[int], load_seconds: float) -> None:
        self._sleep()
        for capacity in turns:
            self._settle(capacity)
            self._burst(capacity, BURST)
        for capacity in turns:
            self._settle(capacity)
            begin = time.perf_counter()
            answers = asyncio.run(_load(*self._target(capacity), load_seconds))
            self._note(capacity, REST, answers, time.perf_counter() - begin)

    def _settle(self, capacity: int) -> None:
        """Ask now and then, until Knative has decided whether its activator stays in front."""
        connection = self.cluster.lambda_connection(self.names[capacity])
        end = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < end:
            status, answer = connection.send_event("/", {}, **_attributes())
            if status != http.HTTPStatus.OK:
                raise RuntimeError(f"burst capacity {capacity}: {status}: {answer[:300].decode()}")
            time.sleep(_SETTLE_PAUSE_SECONDS)

    def _burst(self, capacity: int, situation: str) -> None:
        begin = time.perf_counter()
        answers = asyncio.run(_at_once(*self._target(capacity)))
        self._note(capacity, situation, answers, time.perf_counter() - begin)

    def _note(self, capacity: int, situation: str, answers: list[Answer], seconds: float) -> None:
        table = self.found.of(capacity, situation)
        good = Samples(each.milliseconds for each in answers if each.status == http.HTTPStatus.OK)
        table[FAILURES].add(len(answers) - len(good.values))
        table[INSTANCES].add(len(self.cluster.pods([(TENANT, self.names[capacity])])))
        table[PER_SECOND].add(len(good.values) / seconds)
        if good.values:
            table[P50].add(good.median)
            table[P99].add(good.percentile(99))

    def _target(self, capacity: int) -> tuple[str, str]:
        return self.cluster.ingress, f"{self.names[capacity]}.{TENANT}.knative.test"


def rows(found: Bursts) -> str:
    """The table of the document."""
    heads = ("burst capacity", *_heads())
    return lines(*heads, rows=[line(str(each), *_cells(found, each)) for each in CAPACITIES])


def _heads() -> Iterator[str]:
    for what in (P50, P99, PER_SECOND):
        yield f"{REST}: {what}"
    for situation in (BURST, ZERO):
        for what in (FAILURES, P50, P99, INSTANCES):
            yield f"{situation}: {what}"


def _cells(found: Bursts, capacity: int) -> Iterator[str]:
    rest = found.of(capacity, REST)
    for what in (P50, P99, PER_SECOND):
        yield rest[what].text() if rest[what].values else ""
    for situation in (BURST, ZERO):
        table = found.of(capacity, situation)
        failures = table[FAILURES].values
        yield f"{sum(failures):.0f} of {len(failures) * _AT_ONCE}"
        for what in (P50, P99, INSTANCES):
            yield table[what].text() if table[what].values else ""


async def _load(ingress: str, host: str, seconds: float) -> list[Answer]:
    """Ask over some connections, again as soon as each has its answer."""
    until = time.perf_counter() + seconds
    request = _request(host, 0)

    async def ask_on() -> list[Answer]:
        answers = []
        reader, writer = await _connect(ingress)
        while time.perf_counter() < until:
            answers.append(await _ask(reader, writer, request))
            if not answers[-1].status:
                writer.close()
                reader, writer = await _connect(ingress)
        writer.close()
        return answers

    each = await asyncio.gather(*(ask_on() for _ in range(_CONNECTIONS)))
    return [answer for answers in each for answer in answers]


async def _at_once(ingress: str, host: str) -> list[Answer]:
    """Send all requests in the same moment, each over a connection that is open already."""
    connections = [await _connect(ingress) for _ in range(_AT_ONCE)]
    request = _request(host, _WORK_SECONDS)
    try:
        return await asyncio.gather(*(_ask(*each, request) for each in connections))
    finally:
        for _, writer in connections:
            writer.close()


async def _connect(ingress: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(ingress)
    return await asyncio.open_connection(parts.hostname, parts.port or 80)


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Answer:
    begin, status = time.perf_counter(), 0
    try:
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE_SECONDS)
        fields = head.decode("latin-1").lower().split("\r\n")
        length = next(each for each in fields if each.startswith("content-length:"))
        await reader.readexactly(int(length.partition(":")[2]))
        status = int(fields[0].split()[1])
    except (OSError, EOFError, TimeoutError):
        pass
    return Answer(status, (time.perf_counter() - begin) * 1000)


def _request(host: str, seconds: float) -> bytes:
    body = json.dumps({"seconds": seconds})
    fields = {
        "host": host,
        **{f"ce-{name}": value for name, value in _attributes().items()},
        "ce-specversion": "1.0",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST / HTTP/1.1\r\n{head}\r\n{body}".encode()


def _attributes() -> dict[str, str]:
    return {"id": "1", "source": "/bench", "type": "com.example.measured"}


def _tell(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")


if __name__ == "__main__":
    _rounds, _seconds = int(sys.argv[1]), float(sys.argv[2])
    _bursts = Bursting(MeasuredCluster.of_environment()).measure(_rounds, _seconds, _tell)
    sys.stdout.write(rows(_bursts) + "\n")
