"""What control functions need around them: a Kubernetes API that answers, S3, and records."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from knative_lambda.adapters.storage import open_storage
from knative_lambda.domain import build
from knative_lambda.domain.names import FunctionId
from lambda_builder.base_image import build_base_image
from lambda_builder.runtime import languages_setting, read_languages
from tests.helpers.package_archives import packages_archive
from tests.helpers.registries import running_registry
from tests.helpers.running_api import RunningApi
from tests.helpers.s3_servers import make_bucket, moto_server

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from knative_lambda.ports import ObjectStorage
    from tests.helpers.registries import Registry

TENANT, BUILDS = "bench", "knative-lambda-builds"
# With something to install, so that every version makes a Job.
_FILES = {"main.py": "def handler(event): ...", "requirements.txt": "orjson==3.11.4\n"}
# What a Job leaves: a package of some size, as wheels are.
_PACKAGES = {f"orjson/module_{number}.py": f"x = {number}\n" * 20_000 for number in range(20)}
SPEC = {"source": {"inline": _FILES}, "runtime": "python3.11"}
_LONG_AGO = "2026-01-01T00:00:00Z"
_AT_ONCE = 200

RUNTIMES = Path(__file__).parents[2] / "runtimes"


@dataclass
class World:
    """The servers and what is in them; within `with` they run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _storage: ObjectStorage | None = None
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

    @property
    def token(self) -> str:
        """That of a person who may do everything."""
        return self._api.token

    def leave_packages(self, lambda_name: str) -> dict[str, str]:
        """Leave what a lambda's Job installed in storage; the data of the event for it."""
        record = self._api.call(self._api.objects.get, "LambdaFunction", TENANT, lambda_name)
        build_id: str = record["status"]["build"]["id"]
        key = build.packages_object_key(FunctionId(TENANT, lambda_name), build_id)
        archive = io.BytesIO(packages_archive(_PACKAGES, lock="orjson==3.11.4\n"))
        assert self._storage is not None, "it runs within `with`"
        self._storage.write(self.environment["KN_LAMBDA_STORAGE_URL"] + key, archive)
        return {"buildId": build_id}

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
        for name in ("api", "s3", "registry"):
            (self.folder / name).mkdir()
        self._api = RunningApi(self.folder / "api")
        self._api.start()
        started.callback(self._api.stop)
        for name in (TENANT, BUILDS):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._api.call(self._api.objects.create, "Namespace", namespace)
        storage = started.enter_context(moto_server(self.folder / "s3"))
        url = f"s3://{make_bucket(storage)}"
        self._storage = open_storage(s3=storage)
        registry = started.enter_context(_registry(self.folder / "registry"))
        base = build_base_image("python3.11", RUNTIMES, f"{registry.url}/base/python3.11")
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "KUBECONFIG": str(self._api.kubeconfig),
            "THREADS": "4",
            "KN_LAMBDA_STORAGE_URL": f"{url}/",
            "KN_LAMBDA_SOURCE_PREFIXES": f'["{url}/sources/{{namespace}}/"]',
            "KN_LAMBDA_S3_ENDPOINT_URL": storage.endpoint_url or "",
            "KN_LAMBDA_S3_ACCESS_KEY_ID": str(storage.access_key),
            "KN_LAMBDA_S3_SECRET_ACCESS_KEY": str(storage.secret_key),
            "KN_LAMBDA_REGISTRY_URL": registry.url,
            "KN_LAMBDA_IMAGE_PREFIX": registry.host,
            "KN_LAMBDA_LANGUAGES": languages_setting(read_languages(RUNTIMES)),
            "KN_LAMBDA_BASE_IMAGES": json.dumps({"python3.11": base}),
            "KN_LAMBDA_BUILD_JOB_IMAGE": "registry.invalid/builder",
        }


def _registry(folder: Path) -> AbstractContextManager[Registry]:
    program = shutil.which("docker-registry")
    if program is None:
        raise RuntimeError("images go to a real registry: apt-get install docker-registry")
    return running_registry(program, folder)


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
