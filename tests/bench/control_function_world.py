"""What control functions need around them: a Kubernetes API that answers, S3, and records."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from tests.helpers.running_api import RunningApi
from tests.helpers.s3_servers import make_bucket, moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANT, BUILDS = "bench", "knative-lambda-builds"
SPEC = {"source": {"inline": {"main.py": "def handler(event): ..."}}, "runtime": "python3.11"}
_LONG_AGO = "2026-01-01T00:00:00Z"
_AT_ONCE = 200


@dataclass
class World:
    """The servers and what is in them; within `with` they run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Start the servers."""
        with ExitStack() as started:
            self._start(started)
            self._stack = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        self._stack.close()

    def let_build_fail(self, lambda_name: str) -> dict[str, str]:
        """End the Job that build-start has made for a lambda; the reference that tells of it.

        Its Pod leaves a log, which build-complete stores.
        """
        record = self._api.call(self._api.objects.get, "LambdaFunction", TENANT, lambda_name)
        name: str = record["status"]["build"]["job"]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": BUILDS, "labels": {"job-name": name}},
            "spec": {"containers": [{"name": "build"}]},
        }
        self._api.call(self._api.objects.create, "Pod", pod)
        log = self.folder / "api" / "pods" / BUILDS / name / "build.log"
        log.parent.mkdir(parents=True)
        log.write_text("it failed\n")
        # One that had ended long ago would be removed at once.
        failed = {
            "type": "Failed",
            "status": "True",
            "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
            "lastTransitionTime": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        status = {"startTime": _LONG_AGO, "failed": 1, "conditions": [failed]}
        self._api.call(self._api.objects.update_status, "Job", BUILDS, name, status)
        return {"kind": "Job", "namespace": BUILDS, "name": name}

    def add_records(self, count: int) -> None:
        """Add records as build-complete leaves them."""

        def add(numbers: range) -> None:
            for number in numbers:
                objects, item = self._api.objects, _record(number)
                objects.create("LambdaFunction", item)
                name = item["metadata"]["name"]
                objects.update_status("LambdaFunction", TENANT, name, _status(number))

        for begin in range(0, count, _AT_ONCE):
            self._api.call(add, range(begin, min(count, begin + _AT_ONCE)))

    def _start(self, started: ExitStack) -> None:
        for name in ("api", "s3"):
            (self.folder / name).mkdir()
        self._api = RunningApi(self.folder / "api")
        self._api.start()
        started.callback(self._api.stop)
        for name in (TENANT, BUILDS):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._api.call(self._api.objects.create, "Namespace", namespace)
        storage = started.enter_context(moto_server(self.folder / "s3"))
        url = f"s3://{make_bucket(storage)}"
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "KUBECONFIG": str(self._api.kubeconfig),
            "THREADS": "4",
            "KN_LAMBDA_STORAGE_URL": f"{url}/",
            "KN_LAMBDA_SOURCE_PREFIXES": f'["{url}/sources/{{namespace}}/"]',
            "KN_LAMBDA_S3_ENDPOINT_URL": storage.endpoint_url or "",
            "KN_LAMBDA_S3_ACCESS_KEY_ID": str(storage.access_key),
            "KN_LAMBDA_S3_SECRET_ACCESS_KEY": str(storage.secret_key),
            "KN_LAMBDA_REGISTRY_URL": started.enter_context(_empty_registry()),
            "KN_LAMBDA_IMAGE_PREFIX": "registry.invalid/lambdas",
            "KN_LAMBDA_SOURCE_SUFFIXES": '[".py", ".js"]',
            "KN_LAMBDA_BASE_IMAGES": json.dumps({"python3.11": f"file:///b@sha256:{'0' * 64}"}),
            "KN_LAMBDA_BUILDER_IMAGE": "registry.invalid/builder",
        }


@contextmanager
def _empty_registry() -> Iterator[str]:
    """The URL of a registry that has no image, over connections that are kept, as on a cluster."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else the two halves of an answer wait for each other.
        wbufsize = -1

        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(http.HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _record(number: int) -> dict[str, Any]:
    name = f"lambda-{number}"
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/managed-by": "knative-lambda",
        "knative-lambda.dev/function-name": name,
        "knative-lambda.dev/function-namespace": TENANT,
    }
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": TENANT, "labels": labels},
        "spec": SPEC,
    }


def _status(number: int) -> dict[str, Any]:
    kinds = ("SourceReady", "BuildReady", "ServiceReady", "SubscriptionsReady")
    name, digest = f"lambda-{number}", f"sha256:{number:064x}"
    return {
        "phase": "Ready",
        "observedGeneration": 1,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": _LONG_AGO} for kind in kinds
        ],
        "build": {
            "id": f"{number:064x}",
            "wishId": f"{number:036}",
            "wishTime": _LONG_AGO,
            "job": f"default-{name}-{number:016x}",
            "digest": digest,
            "startedAt": _LONG_AGO,
            "finishedAt": _LONG_AGO,
            "completedBy": f"{number:036}",
        },
        "image": f"registry.invalid/lambdas/{TENANT}/{name}@{digest}",
        "url": f"http://{name}.{TENANT}.svc.cluster.local",
        "revision": f"{name}-00001",
    }
