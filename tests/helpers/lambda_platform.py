"""What can be done with every platform that runs Knative Lambda."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.helpers.http_client import post_event

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.helpers.http_client import Answer

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
BUILD_START = "dev.knative-lambda.build.start.v1"
DELETE = "dev.knative-lambda.delete.v1"
CLEANUP = "dev.knative-lambda.cleanup.v1"


class LambdaPlatform(ABC):
    """Takes commands and events about lambdas of the namespace `default`."""

    runtime = PYTHON

    @property
    @abstractmethod
    def control_broker(self) -> str:
        """The URL that takes requests."""

    @property
    def authorization(self) -> dict[str, str]:
        """What a Broker wants to be shown."""
        return {}

    @abstractmethod
    def kn_lambda(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line against this platform."""

    def deploy(self, *arguments: str | Path) -> dict[str, Any]:
        """`kn-lambda deploy -o json`, which has to work."""
        done = self.kn_lambda("deploy", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def send_build_start(self, name: str, files: dict[str, str], **changes: Any) -> Answer:
        """One request; `spec` and attributes may be given."""
        wanted = {"runtime": self.runtime, "source": {"inline": files}, **changes.pop("spec", {})}
        return self._send(BUILD_START, name, wanted, changes)

    def send_delete(self, name: str, **changes: str) -> Answer:
        """One deletion; attributes may be given."""
        return self._send(DELETE, name, {}, changes)

    def send_cleanup(self) -> Answer:
        """One wish that everything that nobody needs is removed now."""
        return post_event(self.control_broker, {}, headers=self.authorization, type=CLEANUP)

    def _send(self, type_: str, name: str, data: object, changes: dict[str, str]) -> Answer:
        attributes = {"time": datetime.now(UTC).isoformat(), "subject": f"default/{name}"}
        return post_event(
            self.control_broker,
            data,
            headers=self.authorization,
            type=type_,
            **{**attributes, **changes},
        )
