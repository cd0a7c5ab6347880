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
from tests.bench.registry_storage import Pushed, pushed_to_distribution
from tests.helpers.cluster import CONTROL, RECORDS, TENANT, Cluster
from tests.helpers.kubernetes_api import KubernetesApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FUNCTIONS = ("build-start", "publish", "build-complete", "delete", "cleanup", "dead-letter")
_CONTROL_SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{CONTROL}/services"
_SETTINGS = f"/api/v1/namespaces/{CONTROL}/configmaps/knative-lambda-settings"
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
# Without these, what they are for is left out.
_USED = ("TESTBED_HOST_ADDRESS", "TESTBED_STATE")
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
        return cls({name: known[name] for name in (*_NEEDED, *_USED) if name in known})

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The control functions that are installed; an older version has no `publish`."""
        return tuple(each for each in _FUNCTIONS if self.api.get(f"{_CONTROL_SERVICES}/{each}"))

    @property
    def host_address(self) -> str | None:
        """An address of this machine that Pods reach, where there is one."""
        return self.environment.get("TESTBED_HOST_ADDRESS")

    def pushed(self, name: str, since: float) -> Pushed | None:
        """What came to a lambda's repository; None where the registry's storage is elsewhere."""
        state = self.environment.get("TESTBED_STATE")
        if state is None:
            return None
        return pushed_to_distribution(
            Path(state) / "registry", f"{self._image_path}/{TENANT}/{name}", since
        )

    def lambda_connection(self, name: str, namespace: str = TENANT) -> Connection:
        """To a lambda, as its users call it."""
        return Connection(self.ingress, {"Host": f"{name}.{namespace}.knative.test"})

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
    def _image_path(self) -> str:
        """The path of all repositories of lambdas, within the registry."""
        settings = self.api.get(_SETTINGS) or {"data": {}}
        return str(settings["data"]["KN_LAMBDA_IMAGE_PREFIX"]).partition("/")[2]

    @cached_property
    def _internal_ingress(self) -> str:
        service = self.api.get(_INTERNAL)
        if service is None:
            raise SystemExit("this cluster has no kourier-internal, by which functions are reached")
        return f"http://{service['spec']['clusterIP']}"
