"""A Pod in the cluster that is told of every event of both Brokers and remembers them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.helpers.cluster import CONTROL, TENANT
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster

NAMESPACE = "knative-lambda-tests"
_PORT = 8080
_POD = f"/api/v1/namespaces/{NAMESPACE}/pods/recorder"
_PROGRAM = f"""
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode(errors="replace")
        names = {{k.lower(): v for k, v in self.headers.items()}}
        event = {{k[3:]: v for k, v in names.items() if k.startswith("ce-")}}
        seen.append({{"broker": self.path.strip("/"), "attributes": event, "data": body}})
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

ThreadingHTTPServer(("", {_PORT}), Handler).serve_forever()
"""


@dataclass
class Recorder:
    """Events that Brokers took in, each once however often others had to be told of it."""

    cluster: Cluster

    def start(self) -> None:
        """Make the Pod and its Triggers; fine where they are there."""
        api = self.cluster.api
        wait_for(lambda: not self._is_ending())
        for path, item in self._objects():
            if not (item["kind"] == "Pod" and api.get(_POD)):
                api.apply(path, {**item, "metadata": {**item["metadata"]}})
        wait_for(self._is_ready)
        for namespace in (CONTROL, TENANT):
            wait_for(lambda namespace=namespace: self._trigger_is_ready(namespace))

    def stop(self) -> None:
        for path, _ in reversed(list(self._objects())):
            self.cluster.api.delete(path, at_once=True)

    def events(self, **attributes: str) -> list[dict[str, Any]]:
        """All events with these attributes, in the order in which they came."""
        answer = self.cluster.api.request("GET", f"{_POD}:{_PORT}/proxy/")
        assert answer.status == 200, answer
        return [
            event
            for event in json.loads(answer.body)
            if attributes.items() <= event["attributes"].items()
        ]

    def types(self, name: str) -> list[str]:
        """Types of all events about a lambda, without their prefix."""
        found = self.events(subject=f"{TENANT}/{name}")
        return [event["attributes"]["type"].removeprefix("dev.knative-lambda.") for event in found]

    def await_type(self, name: str, type_: str) -> dict[str, Any]:
        """The first event of this type about a lambda."""
        type_ = f"dev.knative-lambda.{type_}"
        found = wait_for(lambda: self.events(subject=f"{TENANT}/{name}", type=type_), within=120.0)
        return found[0]

    def _is_ending(self) -> bool:
        """Whether the namespace of a run before this one still goes."""
        namespace = self.cluster.api.get(f"/api/v1/namespaces/{NAMESPACE}") or {"status": {}}
        return bool(namespace["status"].get("phase") == "Terminating")

    def _is_ready(self) -> bool:
        pod = self.cluster.api.get(_POD) or {}
        conditions = (pod.get("status") or {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _trigger_is_ready(self, namespace: str) -> bool:
        trigger = self.cluster.api.get(_trigger_path(namespace)) or {}
        conditions = (trigger.get("status") or {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _objects(self) -> list[tuple[str, dict[str, Any]]]:
        metadata = {"name": "recorder", "namespace": NAMESPACE}
        settings = f"/api/v1/namespaces/{CONTROL}/configmaps/knative-lambda-settings"
        found = self.cluster.api.get(settings)
        assert found, "Knative Lambda is not installed: make cluster-install"
        images = json.loads(found["data"]["KN_LAMBDA_BASE_IMAGES"])
        image = next(url for name, url in images.items() if name.startswith("python"))
        container = {
            "name": "recorder",
            "image": image.partition("://")[2],
            "command": ["python", "-c", _PROGRAM],
            "readinessProbe": {"httpGet": {"path": "/", "port": _PORT}, "periodSeconds": 1},
        }
        return [
            (
                f"/api/v1/namespaces/{NAMESPACE}",
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            ),
            (
                _POD,
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {**metadata, "labels": {"app": "recorder"}},
                    "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
                },
            ),
            (
                f"/api/v1/namespaces/{NAMESPACE}/services/recorder",
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "metadata": metadata,
                    "spec": {
                        "selector": {"app": "recorder"},
                        "ports": [{"port": 80, "targetPort": _PORT}],
                    },
                },
            ),
            *((_trigger_path(each), _trigger(each, broker)) for each, broker in _BROKERS.items()),
        ]


_BROKERS = {CONTROL: CONTROL, TENANT: "default"}


def _trigger_path(namespace: str) -> str:
    return f"/apis/eventing.knative.dev/v1/namespaces/{namespace}/triggers/recorder"


def _trigger(namespace: str, broker: str) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": "recorder", "namespace": namespace},
        "spec": {
            "broker": broker,
            "subscriber": {"uri": f"http://recorder.{NAMESPACE}.svc.cluster.local/{broker}"},
        },
    }
