"""What tests see of a cluster from outside, and what they send to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from typing_extensions import override

from tests.helpers.http_client import post_event, post_event_file, request
from tests.helpers.kubernetes_api import KubernetesApi
from tests.helpers.lambda_platform import LambdaPlatform
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.helpers.http_client import Answer

CHECKOUT = Path(__file__).resolve().parents[2]
CONTROL, BUILDS, TENANT = "knative-lambda", "knative-lambda-builds", "default"
RECORDS = f"/apis/knative-lambda.dev/v1alpha1/namespaces/{TENANT}/lambdafunctions"
SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{TENANT}/services"
TRIGGERS = f"/apis/eventing.knative.dev/v1/namespaces/{TENANT}/triggers"
JOBS = f"/apis/batch/v1/namespaces/{BUILDS}/jobs"
BUILD_PODS = f"/api/v1/namespaces/{BUILDS}/pods"
PATIENCE_SECONDS = 120.0


@dataclass
class Cluster(LambdaPlatform):
    """Knative Lambda on a cluster that `make cluster-install` has prepared."""

    runtime = "python3.11"
    environment: dict[str, str]
    api: KubernetesApi = field(init=False)

    def __post_init__(self) -> None:
        self.api = KubernetesApi(Path(self.environment["KUBECONFIG"]))

    # --- where it is -----------------------------------------------------------------------------

    @property
    def ingress(self) -> str:
        """Where Knative's ingress takes requests for every host."""
        return self.environment["TESTBED_KOURIER_URL"]

    @property
    @override
    def control_broker(self) -> str:
        return f"{self.environment['TESTBED_BROKER_URL']}/{CONTROL}/{CONTROL}"

    @property
    def tenant_broker(self) -> str:
        return f"{self.environment['TESTBED_BROKER_URL']}/{TENANT}/default"

    # --- its command line ------------------------------------------------------------------------

    @cached_property
    def _variables(self) -> dict[str, str]:
        return {
            **os.environ,  # noqa: TID251 # what a person has, and where this cluster is
            **self.environment,
            "KN_LAMBDA_HOME": "/nonexistent",
            "KN_LAMBDA_INGRESS_URL": self.ingress,
            "AWS_ACCESS_KEY_ID": self.environment["TESTBED_STORAGE_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": self.environment["TESTBED_STORAGE_SECRET_KEY"],
        }

    @override
    def kn_lambda(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line as a person with this KUBECONFIG does."""
        return subprocess.run(
            [sys.executable, "-m", "kn_lambda", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            env=self._variables,
            check=False,
        )

    # --- its events ------------------------------------------------------------------------------

    def send_request(self, name: str, files: dict[str, str]) -> None:
        """Send one request without waiting: some Brokers respond when the whole chain is over."""

        def send() -> None:
            # The Broker may be restarted before it answers; what it took in counts.
            with contextlib.suppress(OSError, HTTPException):
                self.send_build_start(name, files)

        threading.Thread(target=send, daemon=True).start()

    # --- its storage -----------------------------------------------------------------------------

    @cached_property
    def storage(self) -> Any:
        """A client of the S3-compatible server that the builder uses."""
        return boto3.client(
            "s3",
            endpoint_url=self.environment["TESTBED_STORAGE_URL"],
            region_name="us-east-1",
            aws_access_key_id=self.environment["TESTBED_STORAGE_ACCESS_KEY"],
            aws_secret_access_key=self.environment["TESTBED_STORAGE_SECRET_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )

    # --- its lambdas -----------------------------------------------------------------------------

    def call(self, name: str, data: object = None, **attributes: str) -> Answer:
        """One event to a lambda by its URL, in binary mode."""
        url = f"{self.ingress}/"
        return post_event(url, data or {}, headers=self._host(name), type="t", **attributes)

    def call_with_file(self, name: str, file: Path) -> Answer:
        """One event in structured mode."""
        return post_event_file(f"{self.ingress}/", file, headers=self._host(name))

    def get(self, name: str, path: str) -> Answer:
        """A plain request."""
        return request("GET", self.ingress + path, headers=self._host(name))

    def _host(self, name: str) -> dict[str, str]:
        url = ((self.record(name) or {}).get("status") or {}).get("url") or ""
        host = urlsplit(url).netloc or f"{name}.{TENANT}.knative.test"
        return {"Host": host}

    # --- its objects -----------------------------------------------------------------------------

    def record(self, name: str) -> dict[str, Any] | None:
        """The LambdaFunction, or None where there is none."""
        return self.api.get(f"{RECORDS}/{name}")

    def phase(self, name: str) -> str:
        return ((self.record(name) or {}).get("status") or {}).get("phase", "")

    def await_phase(
        self, name: str, *phases: str, within: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """The record once it is in one of these phases."""
        try:
            wait_for(lambda: self.phase(name) in phases, within=within)
        except AssertionError as error:
            status = (self.record(name) or {}).get("status")
            raise AssertionError(f"{name} is not {' or '.join(phases)}: {status}") from error
        return self.record(name) or {}

    def await_gone(self, name: str, within: float = PATIENCE_SECONDS) -> None:
        wait_for(lambda: self.record(name) is None, within=within)

    def jobs_of(self, name: str) -> list[dict[str, Any]]:
        return self.api.list(JOBS, **{"knative-lambda.dev/function-name": name})

    def triggers_of(self, name: str) -> list[dict[str, Any]]:
        return self.api.list(TRIGGERS, **{"knative-lambda.dev/function-name": name})

    def pods_of_service(self, name: str, namespace: str = TENANT) -> list[dict[str, Any]]:
        """Pods that run or start; those that end are gone for whoever asks."""
        pods = self.api.list(
            f"/api/v1/namespaces/{namespace}/pods", **{"serving.knative.dev/service": name}
        )
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def await_zero(self, name: str, namespace: str = TENANT) -> None:
        """Wait until nothing of a Service runs."""
        wait_for(lambda: not self.pods_of_service(name, namespace), within=PATIENCE_SECONDS)
