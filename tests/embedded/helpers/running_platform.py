"""An embedded platform as a process of its own, started as people start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
_START_SECONDS = 120
_STOP_SECONDS = 30
_ANY_PORT = ("--port", "0", "--broker-port", "0", "--api-port", "0")


@dataclass
class RunningPlatform:
    """`kn-lambda up` on a home folder; it can be stopped, killed, and started again."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def gateway_url(self) -> str:
        return self._url("gateway")

    @property
    def broker_url(self) -> str:
        """Of the Broker's server; a Broker is at `<broker_url>/<namespace>/<name>`."""
        return self._url("broker")

    @property
    def api_url(self) -> str:
        return self._url("api")

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def log(self) -> str:
        """What the platform itself printed."""
        return self._log_file.read_text(errors="replace")

    def start(self, *arguments: str) -> None:
        """Start and wait until the platform is ready."""
        process = self.launch(*arguments)
        deadline = time.monotonic() + _START_SECONDS
        while self._facts().get("pid") != process.pid:
            assert process.poll() is None, f"the platform ended:\n{self.log}"
            assert time.monotonic() < deadline, f"the platform is not ready:\n{self.log}"
            time.sleep(0.05)

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the process and wait for nothing."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*kn_lambda_program(), "up", "--home", str(self.home), *_ANY_PORT, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )
        return self.process

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it in order, as Ctrl-C does, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it with `kill -9`, and nothing else; its children have to see to themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(_STOP_SECONDS)

    def close(self) -> None:
        """Leave no process behind; a platform that does not stop in order is an error."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(_STOP_SECONDS)
                raise

    def kn_lambda(
        self, *arguments: str | Path, stdin: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command against this platform; stdout and stderr are text."""
        command = [*kn_lambda_program(), *map(str, arguments)]
        return subprocess.run(
            command,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self._environment(),
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {**machine_environment(), "KN_LAMBDA_HOME": str(self.home), **self.environment}

    @property
    def _log_file(self) -> Path:
        return self.home / "platform.log"

    def _facts(self) -> dict:
        try:
            return json.loads((self.home / "platform.json").read_text())
        except FileNotFoundError:
            return {}

    def _url(self, server: str) -> str:
        return self._facts()["urls"][server]


def kn_lambda_program() -> list[str]:
    """Return the command line of these very sources."""
    return [sys.executable, "-m", "kn_lambda"]


def machine_environment() -> dict[str, str]:
    """Return this process's environment, less what a person set for a platform of theirs."""
    own = os.environ  # noqa: TID251 # children are started with it
    return {name: value for name, value in own.items() if not name.startswith("KN_LAMBDA_")}
