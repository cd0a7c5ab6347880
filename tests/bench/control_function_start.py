"""The four functions beside a bare functions-framework function: start, first event, memory.

Process start to the first 200 on /health/readiness, interleaved so that all see the same machine;
then the first event, which loads what the function needs (its Kubernetes API refuses connections,
so the answer is 503); then the PSS of gunicorn's master and worker while idle.
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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
RUNS = 7
SPEC = {"source": {"inline": {"main.py": "def handler(event): ..."}}, "runtime": "python3.11"}
JOB = {"kind": "Job", "namespace": "knative-lambda-builds", "name": "a-job"}
# Function -> type and data of an event that it takes.
EVENTS: dict[str, tuple[str, Mapping[str, object]]] = {
    "build-start": ("dev.knative-lambda.build.start.v1", SPEC),
    "build-complete": ("dev.knative.apiserver.ref.update", JOB),
    "delete": ("dev.knative-lambda.delete.v1", {}),
    "cleanup": ("dev.knative-lambda.cleanup.v1", {}),
}
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: refused
contexts: [{name: refused, context: {cluster: refused, user: nobody}}]
clusters: [{name: refused, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: nobody, user: {}}]
"""


@dataclass
class Row:
    """What was measured of one function, in ms and MiB."""

    starts: Samples = field(default_factory=Samples)
    first_events: Samples = field(default_factory=Samples)
    idle: Samples = field(default_factory=Samples)
    used: Samples = field(default_factory=Samples)

    def run(self, name: str, source: Path, folder: Path) -> None:
        """Start it once."""
        with _started(source, folder) as (pid, port, start):
            self.starts.add(start)
            self.idle.add(pss_mib(pid))
            if name in EVENTS:
                self.first_events.add(_first_event(port, *EVENTS[name]))
                self.used.add(pss_mib(pid))


def measure(runs: int = RUNS) -> dict[str, Row]:
    """One row per function; they take turns, so that all see the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        sources = _sources(Path(folder))
        rows = {name: Row() for name in sources}
        for source in sources.values():
            with _started(source, Path(folder)):
                pass  # what is compiled, or in the page cache, is so for all of them
        for _ in range(runs):
            for name, source in sources.items():
                rows[name].run(name, source, Path(folder))
    return rows


def _report(rows: dict[str, Row]) -> list[dict[str, str | float]]:
    bare = rows[BARE].starts.median
    return [
        {
            "function": name,
            "start_ms": row.starts.text(),
            "ratio": round(row.starts.median / bare, 2),
            "idle_pss_mib": row.idle.text(),
            "first_event_ms": row.first_events.text() if name in EVENTS else "",
            "used_pss_mib": row.used.text() if name in EVENTS else "",
        }
        for name, row in rows.items()
    ]


def _sources(folder: Path) -> dict[str, Path]:
    (folder / "kubeconfig").write_text(KUBECONFIG)
    (folder / "bare").mkdir()
    (folder / "bare" / "main.py").write_text(BARE_SOURCE)
    functions = {name: REPOSITORY / "functions" / name / "main.py" for name in EVENTS}
    return {BARE: folder / "bare" / "main.py", **functions}


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "KUBECONFIG": str(folder / "kubeconfig"),
        "THREADS": "4",
        "KN_LAMBDA_STORAGE_URL": f"file://{folder}/storage/",
        "KN_LAMBDA_SOURCE_PREFIXES": f'["file://{folder}/sources/{{namespace}}/"]',
        "KN_LAMBDA_REGISTRY_URL": f"file://{folder}/registry",
        "KN_LAMBDA_IMAGE_PREFIX": "registry.invalid/lambdas",
        "KN_LAMBDA_BASE_IMAGES": json.dumps({"python3.11": f"file:///b@sha256:{'0' * 64}"}),
        "KN_LAMBDA_BUILDER_IMAGE": "registry.invalid/builder",
    }


@contextlib.contextmanager
def _started(source: Path, folder: Path) -> Iterator[tuple[int, int, float]]:
    """A function that is ready: pid of its master, its port, and how many ms it took."""
    port = free_port()
    options = ["--target", "handle", "--source", str(source), "--signature-type", "http"]
    program = str(Path(sys.executable).with_name("functions-framework"))
    begin = time.perf_counter()
    process = subprocess.Popen(
        [program, *options, "--host", "127.0.0.1", "--port", str(port)],
        env=_environment(folder),
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


def _first_event(port: int, event_type: str, data: Mapping[str, object]) -> float:
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/bench",
        "type": event_type,
        "subject": "default/hello",
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    begin = time.perf_counter()
    status = _status(port, "POST", "/", json.dumps(event), **headers)
    took = (time.perf_counter() - begin) * 1000
    if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
        raise RuntimeError(f"an event without a Kubernetes API was answered with {status}")
    return took


if __name__ == "__main__":
    report = {"cores": os.cpu_count(), "rows": _report(measure())}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
