"""The control functions beside a bare functions-framework function: start, first event, memory.

Process start to the first 200 on /health/readiness, interleaved so that all see the same machine;
then the first event, which loads what the function needs and uses Kubernetes and S3; then the PSS
of gunicorn's master and worker.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.control_function_world import SPEC, TENANT, World
from tests.bench.process_accounts import pss_mib
from tests.bench.runtime_bench import free_port
from tests.bench.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPOSITORY = Path(__file__).parents[2]
BARE = "bare functions-framework"
BARE_SOURCE = """\
import functions_framework

@functions_framework.http
def handle(request):
    return "ok"
"""
RUNS, RECORDS = 7, 10_000
_KNOWN = ("build-start", "publish", "build-complete", "delete", "cleanup", "dead-letter", "api")
# An older version has neither `publish` nor `api`.
FUNCTIONS = tuple(name for name in _KNOWN if (REPOSITORY / "functions" / name).is_dir())


@dataclass
class Row:
    """What was measured of one function, in ms and MiB."""

    starts: Samples = field(default_factory=Samples)
    first_events: Samples = field(default_factory=Samples)
    idle: Samples = field(default_factory=Samples)
    used: Samples = field(default_factory=Samples)

    def run(self, source: Path, environment: Mapping[str, str], event: Event | Read | None) -> None:
        """Start it once."""
        with started(source, environment) as (pid, port, start):
            self.starts.add(start)
            self.idle.add(pss_mib(pid))
            if event is not None:
                self.first_events.add(event.send(port))
                self.used.add(pss_mib(pid))


@dataclass(frozen=True)
class Read:
    """A request to `api` that has it use Kubernetes and S3."""

    token: str

    def send(self, port: int) -> float:
        """The milliseconds until it was answered: there is no such log."""
        begin = time.perf_counter()
        path = f"/v1/namespaces/{TENANT}/lambdas/hello/builds/{'0' * 64}/log"
        status = _status(port, "GET", path, Authorization=f"Bearer {self.token}")
        took = (time.perf_counter() - begin) * 1000
        if status != http.HTTPStatus.NOT_FOUND:
            raise RuntimeError(f"the log of a build was answered with {status}")
        return took


@dataclass(frozen=True)
class Event:
    """Something that a function deals with."""

    type: str
    data: Mapping[str, object] = field(default_factory=dict)
    subject: str = f"{TENANT}/hello"

    def send(self, port: int) -> float:
        """The milliseconds until it was answered."""
        event = {
            "specversion": "1.0",
            "id": uuid.uuid4().hex,
            "source": "/bench",
            "time": datetime.now(UTC).isoformat(),
            "type": self.type,
            "subject": self.subject,
            "data": self.data,
        }
        headers = {"Content-Type": "application/cloudevents+json"}
        begin = time.perf_counter()
        status = _status(port, "POST", "/", json.dumps(event), **headers)
        took = (time.perf_counter() - begin) * 1000
        if status not in {http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT}:
            raise RuntimeError(f"{self.type} was answered with {status}")
        return took


def measure(runs: int = RUNS, records: int = RECORDS) -> dict[str, Row]:
    """One row per function; they take turns, so that all see the same machine.

    Then `cleanup` once more, with so many records.
    """
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        sources = _sources(Path(folder))
        rows = {name: Row() for name in sources}
        for source in sources.values():
            with started(source, world.environment):
                pass  # what is compiled, or in the page cache, is so for all of them
        for _ in range(runs):
            name = f"hello-{uuid.uuid4().hex[:8]}"
            for function, source in sources.items():
                rows[function].run(source, world.environment, _event(function, world, name))
        world.add_records(records)
        row = rows[f"cleanup, {records:,} records"] = Row()
        for _ in range(runs):
            row.run(sources["cleanup"], world.environment, _event("cleanup", world, ""))
        return rows


def _event(function: str, world: World, name: str) -> Event | Read | None:
    """What has the function use S3: the lambda is new in each run."""
    data: Mapping[str, object] = {}
    match function:
        case "build-start":
            kind, data = "dev.knative-lambda.build.start.v1", SPEC
        case "publish":
            # Of the build that build-start has just started, as is the next one.
            kind, data = "dev.knative-lambda.build.packaged.v1", world.leave_packages(name)
        case "build-complete":
            kind, data = "dev.knative.apiserver.ref.update", world.let_build_fail(name)
        case "delete":
            kind = "dev.knative-lambda.delete.v1"
        case "cleanup":
            kind = "dev.knative-lambda.cleanup.v1"
        case "dead-letter":
            kind = "com.example.measured"
        case "api":
            return Read(world.token)
        case _:
            return None
    return Event(kind, data, f"{TENANT}/{name or 'hello'}")


def _report(rows: dict[str, Row]) -> list[dict[str, str | float]]:
    bare = rows[BARE].starts.median
    return [
        {
            "function": name,
            "start_ms": row.starts.text(),
            "ratio": round(row.starts.median / bare, 2),
            "idle_pss_mib": row.idle.text(),
            "first_event_ms": row.first_events.text() if name != BARE else "",
            "used_pss_mib": row.used.text() if name != BARE else "",
        }
        for name, row in rows.items()
    ]


def _sources(folder: Path) -> dict[str, Path]:
    (folder / "bare").mkdir()
    (folder / "bare" / "main.py").write_text(BARE_SOURCE)
    functions = {name: REPOSITORY / "functions" / name / "main.py" for name in FUNCTIONS}
    return {BARE: folder / "bare" / "main.py", **functions}


@contextlib.contextmanager
def started(source: Path, environment: Mapping[str, str]) -> Iterator[tuple[int, int, float]]:
    """A function that is ready: pid of its master, its port, and how many ms it took."""
    port = free_port()
    options = ["--target", "handle", "--source", str(source), "--signature-type", "http"]
    program = str(Path(sys.executable).with_name("functions-framework"))
    begin = time.perf_counter()
    process = subprocess.Popen(
        [program, *options, "--host", "127.0.0.1", "--port", str(port)],
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, port)
        yield process.pid, port, (time.perf_counter() - begin) * 1000
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _status(port, "GET", "/health/readiness") == http.HTTPStatus.OK:
                return
        time.sleep(0.001)
    raise RuntimeError(f"a function does not become ready (exit code {process.poll()})")


def _status(port: int, method: str, path: str, body: str = "", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    report = {"cores": os.cpu_count(), "rows": _report(measure())}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
