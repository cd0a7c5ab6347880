"""The cluster that is measured, by connections that are kept open."""

from __future__ import annotations

import http.client
import os
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.bench.platform_process import Connection
from tests.helpers.cluster import CONTROL, RECORDS, TENANT, Cluster
from tests.helpers.kubernetes_api import KubernetesApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FUNCTIONS = ("build-start", "build-complete", "delete", "cleanup", "dead-letter")
SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{TENANT}/services"
WATCHED = {
    "Job": "/apis/batch/v1/namespaces/knative-lambda-builds/jobs",
    "Pod": "/api/v1/pods",
    "Service": SERVICES,
    "LambdaFunction": RECORDS,
}
_NEEDED = (
    "KUBECONFIG", "TESTBED_KOURIER_URL", "TESTBED_BROKER_URL",
    "TESTBED_STORAGE_URL", "TESTBED_STORAGE_ACCESS_KEY", "TESTBED_STORAGE_SECRET_KEY",
)  # fmt: skip
_INTERNAL = "/api/v1/namespaces/kourier-system/services/kourier-internal"
_ZERO_SECONDS = 180.0
_AWAKE_SECONDS = 2.0


class KeptApi(KubernetesApi):
    """Its Kubernetes API, also for watches and for many requests."""

    def open_api(self, timeout: float | None) -> http.client.HTTPConnection:
        """A connection that is left to the caller."""
        return http.client.HTTPSConnection(self._host, context=self._context, timeout=timeout)

    def api_headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def connection(self) -> Connection:
        """One connection for one thread."""
        return Connection(f"https://{self._host}", self.api_headers(), context=self._context)


@dataclass
class MeasuredCluster(Cluster):
    """Knative Lambda on the cluster that the environment names."""

    @override
    def __post_init__(self) -> None:
        self.api: KeptApi = KeptApi(Path(self.environment["KUBECONFIG"]))

    @classmethod
    def of_environment(cls) -> MeasuredCluster:
        """The one that `testbed/bench.sh` names."""
        known = dict(os.environ)  # noqa: TID251 # how the cluster of a run is named
        missing = [name for name in _NEEDED if name not in known]
        if missing:
            raise SystemExit(f"{', '.join(missing)} not set: run this by `make bench-cluster`")
        return cls({name: known[name] for name in _NEEDED})

    def lambda_connection(self, name: str) -> Connection:
        """To a lambda, as its users call it."""
        return Connection(self.ingress, {"Host": f"{name}.{TENANT}.knative.test"})

    def function_connection(self, name: str, namespace: str = CONTROL) -> Connection:
        """To a Service of the cluster's own, by the gateway that Brokers go through."""
        return Connection(self._internal_ingress, {"Host": f"{name}.{namespace}.svc.cluster.local"})

    def send(self, type_: str, subject: str, data: object, **attributes: str) -> tuple[int, bytes]:
        """One event to the builder's Broker; its answer may come when all is done."""
        broker = Connection(self.environment["TESTBED_BROKER_URL"])
        path = f"/{CONTROL}/{CONTROL}"
        attributes = {"id": uuid.uuid4().hex, "source": "/bench", **attributes}
        try:
            return broker.send_event(path, data, type=type_, subject=subject, **attributes)
        finally:
            broker.close()

    def pods(self, services: Iterable[tuple[str, str]]) -> list[str]:
        """Names of what runs of these Services, each by namespace and name."""
        return [
            pod["metadata"]["name"]
            for namespace, name in services
            for pod in self.pods_of_service(name, namespace)
        ]

    def sleep_until_zero(
        self, services: Iterable[tuple[str, str]], meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Wait until nothing of these runs; `meanwhile` is called now and then."""
        services, deadline = list(services), time.monotonic() + _ZERO_SECONDS
        while running := self.pods(services):
            if time.monotonic() > deadline:
                raise TimeoutError(f"others keep it busy: {running}")
            if meanwhile:
                meanwhile()
            time.sleep(_AWAKE_SECONDS)

    @cached_property
    def _internal_ingress(self) -> str:
        service = self.api.get(_INTERNAL)
        if service is None:
            raise SystemExit("this cluster has no kourier-internal, by which functions are reached")
        return f"http://{service['spec']['clusterIP']}"
