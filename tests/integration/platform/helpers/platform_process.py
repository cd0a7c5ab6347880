"""The embedded platform as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.helpers.platform_access import token_header, trust

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Poll what only files and processes tell."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def processes_of(home: Path) -> list[int]:
    """Processes that carry the mark of the data folder."""
    wanted = f"KN_LAMBDA_EMBEDDED={home.resolve()}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@dataclass
class PlatformProcess:
    """`python -m lambda_embedded` on a data folder, and its Kubernetes API."""

    home: Path
    arguments: list[str]
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> PlatformProcess:
        self.launch()
        wait_until(lambda: self.is_announced() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1]
        return self

    def launch(self) -> PlatformProcess:
        (self.home / "platform.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lambda_embedded", "--home", str(self.home), *self.arguments],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        return self

    def is_announced(self) -> bool:
        return (self.home / "platform.json").exists()

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.home / "platform.json").read_text())
        return facts

    def stop(self) -> tuple[int, str]:
        """Exit code and what it said."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, said

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.facts["urls"]["api"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**token_header(self.home), "Content-Type": "application/json"},
        )
        tls = trust(self.home / "kubeconfig")
        with urllib.request.urlopen(request, timeout=10, context=tls) as response:
            body: dict[str, Any] = json.load(response)
            return body

    def create_job(self, name: str, script: str, **spec: Any) -> None:
        container = {"name": "main", "image": "none", "command": ["python", "-c", script]}
        pod = {"restartPolicy": "Never", "containers": [container]}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": "builds"},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}, **spec},
        }
        self.api("POST", "/apis/batch/v1/namespaces/builds/jobs", job)

    def job_status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.api(
            "GET", f"/apis/batch/v1/namespaces/builds/jobs/{name}/status"
        ).get("status", {})
        return status

    def is_complete(self, name: str) -> bool:
        conditions = self.job_status(name).get("conditions", [])
        return any(item["type"] == "Complete" for item in conditions)
