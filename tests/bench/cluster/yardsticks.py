"""What Knative itself needs: for a new Service with a ready image, and from zero."""

from __future__ import annotations

import copy
import time
import uuid
from typing import TYPE_CHECKING, Any

from tests.bench.cluster.access import SERVICES
from tests.bench.cluster.deploying import await_answer
from tests.bench.cluster.moments import Lambda
from tests.bench.cluster.starts import NAMESPACE, plain_target, wake_seconds
from tests.bench.functions import WITHOUT_PACKAGES
from tests.bench.samples import Table

if TYPE_CHECKING:
    from tests.bench.cluster.access import MeasuredCluster

PLAIN, WAKE = "plain", "wake"
_OWN_SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{NAMESPACE}/services"


class Yardsticks:
    """Seconds of both, measured between the deployments."""

    def __init__(self, cluster: MeasuredCluster, lambda_name: str) -> None:
        """Take the Service of that lambda, which has no packages, as the one to make anew."""
        self._cluster, self._name = cluster, lambda_name
        self._names: list[str] = []
        self.seconds = Table()

    def measure_plain(self, version: int) -> None:
        """Make a Service whose image the node has: its spec is that of the lambda."""
        model = self._cluster.api.get(f"{SERVICES}/{self._name}")
        if model is None:
            raise RuntimeError(f"{self._name} has no Service")
        name = f"plain-{uuid.uuid4().hex[:8]}"
        connection = self._cluster.lambda_connection(name, NAMESPACE)
        service = plain_service(model, name)
        self._names.append(name)
        begin = time.time()
        self._cluster.api.apply(f"{_OWN_SERVICES}/{name}", service)
        answered = await_answer(connection, Lambda(name, WITHOUT_PACKAGES, version))
        self.seconds[PLAIN].add(answered - begin)

    def measure_wake(self) -> None:
        """Start the plain function, of which nothing may run."""
        self.seconds[WAKE].add(wake_seconds(self._cluster))

    def remove_plain(self) -> None:
        """Delete the Services that were made."""
        for name in self._names:
            self._cluster.api.delete(f"{_OWN_SERVICES}/{name}")
        self._names.clear()

    @property
    def function(self) -> tuple[str, str]:
        """Namespace and name of the plain function."""
        target = plain_target()
        return target.namespace, target.name


def plain_service(model: dict[str, Any], name: str) -> dict[str, Any]:
    """A Service like that of a lambda, which no controller of ours knows."""
    template = copy.deepcopy(model["spec"]["template"])
    metadata = template.get("metadata", {})
    annotations = {
        key: value
        for key, value in metadata.get("annotations", {}).items()
        if key.startswith("autoscaling.knative.dev/")
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"template": {"metadata": {"annotations": annotations}, "spec": template["spec"]}},
    }
