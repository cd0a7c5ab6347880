"""A platform in memory, as the commands see it: objects of its API, and what HTTP answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.http import Response
from kn_lambda.cluster.installation import Installation
from knative_lambda.adapters.kubernetes.client import (
    BROKERS,
    CONFIG_MAPS,
    EVENTS,
    LAMBDA_FUNCTIONS,
)
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.adapters.kubernetes.requests import request_annotations
from knative_lambda.domain.events import Event
from knative_lambda.domain.lambda_function import RequestStamp
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests.rejection_event import rejection_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from knative_lambda.adapters.kubernetes.client import KubernetesObject, Resource
    from knative_lambda.domain.errors import KnativeLambdaError

LOG_TIME = "2026-01-15T09:30:00.123456789Z"
DIGEST = "sha256:" + "a" * 64
WISH_ID = "knative-lambda.dev/wish-id"
SET_FIELDS = "knative-lambda.dev/set-fields"
WISH_TIME = "knative-lambda.dev/wish-time"


class FakeApi:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], KubernetesObject] = {}
        self.logs: dict[str, str] = {}
        self.applied: list[KubernetesObject] = []
        self.applied_become = "True"
        self.log_queries: list[dict[str, str]] = []

    def put(self, resource: Resource, item: KubernetesObject) -> None:
        metadata = item["metadata"]
        self.objects[resource.plural, metadata["namespace"], metadata["name"]] = item

    def apply(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Store it; its controller says `applied_become` at once."""
        self.applied.append(item)
        ready = {"type": "Ready", "status": self.applied_become, "reason": "BrokerUnknown"}
        item = {
            **item,
            "metadata": {**item["metadata"], "generation": 1},
            "status": {"observedGeneration": 1, "conditions": [ready]},
        }
        self.put(resource, item)
        return item

    def find(self, resource: Resource, namespace: str, name: str) -> KubernetesObject | None:
        return self.objects.get((resource.plural, namespace, name))

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        self.objects.pop((resource.plural, namespace, name), None)

    def get(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        found = self.find(resource, namespace, name)
        if found is None:
            raise NotFoundError(f"{namespace}/{resource.plural}/{name}")
        return found

    def list(
        self, resource: Resource, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> Iterator[KubernetesObject]:
        for (plural, where, _), item in list(self.objects.items()):
            own = item["metadata"].get("labels") or {}
            wanted = all(own.get(key) == value for key, value in (labels or {}).items())
            if plural == resource.plural and namespace in {None, where} and wanted:
                yield item

    def text(self, path: str, query: Mapping[str, str]) -> str:
        self.log_queries.append(dict(query))
        try:
            text = self.logs[f"{path}?{query['container']}"]
        except KeyError:
            raise NotFoundError(path) from None
        time = f"{LOG_TIME} " if query.get("timestamps") == "true" else ""
        return "".join(f"{time}{line}" for line in text.splitlines(keepends=True))


@dataclass
class FakeHttp:
    """Answers by method and URL; remembers what was sent."""

    responses: dict[tuple[str, str], Callable[..., Response]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def respond(
        self, method: str, url: str, status: int, body: object = b"", **headers: str
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.responses[method, url] = lambda **_: Response(
            status=status, headers=names, body=content
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = 15.0,
    ) -> Response:
        request = {"method": method, "url": url, "headers": dict(headers or {}), "body": body}
        self.sent.append(request)
        return self.responses[method, url.partition("?")[0]](**request)


class FakePlatform:
    """One installation; `on_request` makes the record that a control plane would make."""

    broker = "http://broker.test/knative-lambda/knative-lambda"
    url = "http://gateway.test/default/hello"

    def __init__(self, *, is_embedded: bool = True) -> None:
        self.api = FakeApi()
        self.http = FakeHttp()
        self.installation = Installation(
            api=self.api,  # type: ignore[arg-type]
            http=self.http,  # type: ignore[arg-type]
            name="a platform of tests",
            is_embedded=is_embedded,
        )
        self._install()

    def _install(self) -> None:
        images = {"python3.11": "file:///base@" + DIGEST, "python3.9": "file:///base@" + DIGEST}
        settings = {"KN_LAMBDA_BASE_IMAGES": json.dumps(images)}
        self.api.put(
            CONFIG_MAPS,
            {
                "metadata": {"namespace": "knative-lambda", "name": "knative-lambda-settings"},
                "data": settings,
            },
        )
        for namespace, name in (("knative-lambda", "knative-lambda"), ("default", "default")):
            url = f"http://broker.test/{namespace}/{name}"
            self.api.put(
                BROKERS,
                {
                    "metadata": {"namespace": namespace, "name": name},
                    "status": {"address": {"url": url}},
                },
            )
            self.http.respond("POST", url, 202)
        self.http.respond("GET", "http://broker.test/-/events", 200, {"events": []})
        self.http.respond("GET", "http://broker.test/-/dead-letters", 200, {"deadLetters": []})

    def on_request(self, react: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
        """Call `react(headers, data)` for every event that comes to the control Broker."""

        def accept(*, headers: dict[str, str], body: bytes, **_: object) -> Response:
            react(headers, json.loads(body))
            return Response(status=202, headers={}, body=b"")

        self.http.responses["POST", self.broker] = accept

    def finish(self, phase: str, **build: Any) -> None:
        """End every deployment at once, with this phase."""

        def react(headers: dict[str, Any], data: dict[str, Any]) -> None:
            stamp = {WISH_ID: headers["ce-id"], WISH_TIME: headers["ce-time"]}
            data = dict(data)
            data.pop("replaces", None)
            if set_fields := data.pop("setFields", None):
                stamp[SET_FIELDS] = ",".join(set_fields)
            said = {"id": "b" * 64, "wishId": headers["ce-id"], **build}
            namespace, _, name = headers["ce-subject"].partition("/")
            self.put_record(
                name,
                namespace=namespace,
                spec=data,
                annotations=stamp,
                status=status(phase=phase, build=said),
            )

        self.on_request(react)

    def reject(self, error: KnativeLambdaError) -> None:
        """Reject every request as build-start does."""

        def react(headers: dict[str, Any], _data: dict[str, Any]) -> None:
            event = Event(id=headers["ce-id"], source=headers["ce-source"], type=headers["ce-type"])
            function = FunctionId.parse(headers["ce-subject"])
            self.api.put(
                EVENTS, rejection_event(function, event, error, uid=None, at=datetime.now(UTC))
            )

        self.on_request(react)

    def put_record(self, name: str = "hello", **parts: Any) -> KubernetesObject:
        item = record(name, **parts)
        self.api.put(LAMBDA_FUNCTIONS, item)
        return item

    def requests(self) -> list[dict[str, Any]]:
        """Return headers and data of every event that the control Broker got."""
        sent = [r for r in self.http.sent if (r["method"], r["url"]) == ("POST", self.broker)]
        return [{**request["headers"], "data": json.loads(request["body"])} for request in sent]


def record(
    name: str = "hello",
    *,
    namespace: str = "default",
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    created: str = "2026-01-15T09:30:00Z",
) -> KubernetesObject:
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": f"uid-{name}",
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": created,
            "annotations": _as_left_by_an_event(annotations or {}),
        },
        "spec": spec or {"runtime": "python3.11", "source": {"inline": {"main.py": ""}}},
        "status": {} if status is None else status,
    }


def _as_left_by_an_event(annotations: dict[str, str]) -> dict[str, str]:
    if WISH_ID not in annotations:
        return annotations
    time = datetime.fromisoformat(annotations.get(WISH_TIME, "2026-01-15T09:30:00+00:00"))
    stamp = RequestStamp(time=time, event_id=annotations[WISH_ID])
    return {**request_annotations(stamp, 1, annotations), **annotations}


def status(*, phase: str = "Ready", revision: str = "hello-00001", **parts: Any) -> dict[str, Any]:
    ready = {"url": FakePlatform.url, "revision": revision, "image": f"registry/hello@{DIGEST}"}
    return {"phase": phase, **(ready if phase == "Ready" else {}), **parts}
