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
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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


def measure() -> list[dict[str, str | float]]:
    """One row per function: medians in ms and MiB, and the ratio to the bare function's start."""
    with tempfile.TemporaryDirectory() as folder:
        sources = _sources(Path(folder))
        rows = {name: _Row() for name in sources}
        for source in sources.values():
            with _started(source, Path(folder)):
                pass  # what is compiled, or in the page cache, is so for all of them
        for _ in range(RUNS):
            for name, source in sources.items():
                rows[name].run(name, source, Path(folder))
    bare = statistics.median(rows[BARE].starts)
    return [{"function": name, **row.medians(bare)} for name, row in rows.items()]


class _Row:
    """What was measured of one function."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.first_events: list[float] = []
        self.idle: list[float] = []
        self.used: list[float] = []

    def run(self, name: str, source: Path, folder: Path) -> None:
        """Start it once."""
        with _started(source, folder) as (pid, port, start):
            self.starts.append(start)
            self.idle.append(_pss(pid))
            if name in EVENTS:
                self.first_events.append(_first_event(port, *EVENTS[name]))
                self.used.append(_pss(pid))

    def medians(self, bare: float) -> dict[str, str | float]:
        """The row of the table."""
        start = statistics.median(self.starts)
        row: dict[str, str | float] = {
            "start_ms": round(start),
            "ratio": round(start / bare, 2),
            "idle_pss_mib": round(statistics.median(self.idle), 1),
        }
        if self.first_events:
            row["first_event_ms"] = round(statistics.median(self.first_events))
            row["used_pss_mib"] = round(statistics.median(self.used), 1)
        return row


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
    port = _free_port()
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def _pss(master: int) -> float:
    """Proportional set size of gunicorn's master and its workers, in MiB."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    kib = 0
    for pid in (master, *map(int, children)):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib / 1024


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps({"cores": os.cpu_count(), "runs": RUNS, "rows": measure()}, indent=2)
    )
    sys.stdout.write("\n")
