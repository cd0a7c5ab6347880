"""Scale from zero and warm answers: a lambda, each control function, and a plain function."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.samples import Table
from tests.helpers.cluster import CONTROL, TENANT
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.platform_process import Connection

NAMESPACE = "knative-lambda-bench"
PLAIN = "plain functions-framework function"
LAMBDA = "lambda (Python, no packages)"
_PLAIN_NAME = "bench-plain"
_SERVICE = f"/apis/serving.knative.dev/v1/namespaces/{NAMESPACE}/services/{_PLAIN_NAME}"
_SOURCE = """\
import functions_framework


@functions_framework.http
def handle(request):
    return "ok"
"""
_COMMAND = ["python", "-m", "functions_framework", "--target", "handle"]
# Nothing takes this type, which every function says with 400; a letter without an id is no letter.
_EVENT = {"id": "1", "source": "/bench", "type": "com.example.measured"}
_PAUSE_SECONDS = 1.5
_WARM_REQUESTS = 20


class Target(NamedTuple):
    """One Service that is started."""

    label: str
    namespace: str
    name: str
    status: int


class Starts:
    """Milliseconds by Service, in turns."""

    def __init__(self, cluster: MeasuredCluster, lambda_name: str) -> None:
        self._cluster = cluster
        self._targets = [
            plain_target(),
            Target(LAMBDA, TENANT, lambda_name, 200),
            *(Target(name, CONTROL, name, 400) for name in cluster.functions),
        ]
        self.from_zero, self.warm = Table(), Table()

    def deploy_plain(self) -> None:
        """The yardstick: the image, limits and probe of `delete`, and a function of three lines."""
        api = self._cluster.api
        found = api.get(f"/apis/serving.knative.dev/v1/namespaces/{CONTROL}/services/delete")
        if found is None:
            raise SystemExit("Knative Lambda is not installed: make cluster-install")
        for path, item in _plain_objects(found["spec"]["template"]):
            api.apply(path, item)
        wait_for(lambda: _is_ready(api.get(_SERVICE) or {}))

    def measure(self, number: int) -> None:
        """Start each once; who is first changes from round to round."""
        first = number % len(self._targets)
        self._cluster.sleep_until_zero([(each.namespace, each.name) for each in self._targets])
        connections = {each.label: self._connection(each) for each in self._targets}
        for target in self._targets[first:] + self._targets[:first]:
            time.sleep(_PAUSE_SECONDS)
            self._cluster.sleep_until_zero([(target.namespace, target.name)])
            self.from_zero[target.label].add(_ask(connections[target.label], target))
        for target in self._targets:
            _ask(connections[target.label], target)  # who was first may be at zero again
        for _ in range(_WARM_REQUESTS):
            for target in self._targets:
                self.warm[target.label].add(_ask(connections[target.label], target))

    def _connection(self, target: Target) -> Connection:
        if target.label == LAMBDA:
            return self._cluster.lambda_connection(target.name)
        return self._cluster.function_connection(target.name, target.namespace)


def plain_target() -> Target:
    """The plain function."""
    return Target(PLAIN, NAMESPACE, _PLAIN_NAME, 200)


def wake_seconds(cluster: MeasuredCluster) -> float:
    """From a request to the plain function to its answer."""
    target = plain_target()
    return _ask(cluster.function_connection(target.name, target.namespace), target) / 1000


def wake(cluster: MeasuredCluster, function: str) -> None:
    """Start a control function by an event that changes nothing."""
    _ask(cluster.function_connection(function), Target(function, CONTROL, function, 400))


def _ask(connection: Connection, target: Target) -> float:
    attributes = dict(_EVENT)
    if target.name == "dead-letter":
        del attributes["id"]
    begin = time.perf_counter()
    status, answer = connection.send_event("/", {}, **attributes)
    milliseconds = (time.perf_counter() - begin) * 1000
    if status != target.status:
        raise RuntimeError(f"{target.name} answered {status}: {answer[:500].decode()}")
    return milliseconds


def _is_ready(service: dict[str, object]) -> bool:
    status = service.get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _plain_objects(
    template: dict[str, dict[str, list[dict[str, object]]]],
) -> list[tuple[str, object]]:
    like = template["spec"]["containers"][0]
    kept = ("image", "resources", "securityContext", "env")
    container = {
        "name": "user-container",
        **{key: like[key] for key in kept},
        "command": [*_COMMAND, "--source", "/source/main.py"],
        "readinessProbe": {"httpGet": {"path": "/health/readiness"}},
        "livenessProbe": {"httpGet": {"path": "/health/liveness"}},
        "volumeMounts": [{"name": "source", "mountPath": "/source", "readOnly": True}],
    }
    spec = {
        "containerConcurrency": 4,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [{"name": "source", "configMap": {"name": _PLAIN_NAME}}],
    }
    metadata = {"name": _PLAIN_NAME, "namespace": NAMESPACE}
    local = {"networking.knative.dev/visibility": "cluster-local"}
    return [
        (
            f"/api/v1/namespaces/{NAMESPACE}/configmaps/{_PLAIN_NAME}",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": metadata,
                "data": {"main.py": _SOURCE},
            },
        ),
        (
            _SERVICE,
            {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {**metadata, "labels": local},
                "spec": {"template": {"spec": spec}},
            },
        ),
    ]
