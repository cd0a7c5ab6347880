"""The platform, and what the functions need from it."""

from __future__ import annotations

import io
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kn_lambda.checks.check import Check, Verdict, failed_check, run_check
from kn_lambda.checks.cluster import check_cluster
from kn_lambda.cluster.installation import CONTROL_BROKER, CONTROL_NAMESPACE
from kn_lambda.cluster.readiness import READY, readiness
from kn_lambda.deploying.runtimes import installed_runtimes
from kn_lambda.deploying.uploading import upload_storage, upload_url
from kn_lambda.errors import CommandError
from knative_lambda.adapters.kubernetes.client import BROKERS, SERVICES
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kn_lambda.cluster.installation import Installation

_FUNCTIONS = ("build-start", "publish", "build-complete", "delete", "cleanup")
_TENANT_BROKER = "default"
_APPLY = "Apply the configuration again: kubectl apply -k config/overlays/..., or kn-lambda up."
_UNAUTHORIZED = 401


def check_platform(connect: Callable[[], Installation], namespace: str) -> Iterator[Check]:
    """Check the platform, then its parts; without a platform, only the first check."""
    try:
        installation = connect()
        settings = installation.settings()
    except (CommandError, KnativeLambdaError) as error:
        yield failed_check("platform", error, hint="Start it: kn-lambda up")
        return
    yield Check(name="platform", verdict=Verdict.OK, found=installation.name)
    yield _check_runtimes(settings)
    if not installation.is_embedded:
        yield from check_cluster(installation, namespace)
    for name in _FUNCTIONS:
        yield run_check(f"function {name}", partial(_check_service, installation, name))
    for where, name in ((CONTROL_NAMESPACE, CONTROL_BROKER), (namespace, _TENANT_BROKER)):
        look = partial(_check_broker, installation, where, name)
        yield run_check(f"Broker {where}/{name}", look)
    yield run_check("storage", partial(_check_storage, settings, namespace))
    yield run_check("registry", partial(_check_registry, installation, settings))


def _check_runtimes(settings: Mapping[str, str]) -> Check:
    runtimes = installed_runtimes(settings)
    return Check(
        name="runtimes",
        verdict=Verdict.OK if runtimes else Verdict.FAILED,
        found=", ".join(runtimes) or "none",
        hint="Set KN_LAMBDA_BASE_IMAGES in the ConfigMap knative-lambda-settings.",
    )


def _check_service(installation: Installation, name: str) -> tuple[Verdict, str, str]:
    return _readiness(installation.api.find(SERVICES, CONTROL_NAMESPACE, name))


def _check_broker(
    installation: Installation, namespace: str, name: str
) -> tuple[Verdict, str, str]:
    return _readiness(installation.api.find(BROKERS, namespace, name))


def _readiness(item: Mapping[str, Any] | None) -> tuple[Verdict, str, str]:
    found = readiness(item)
    return (Verdict.OK, found, "") if found == READY else (Verdict.FAILED, found, _APPLY)


def _check_storage(settings: Mapping[str, str], namespace: str) -> tuple[Verdict, str, str]:
    url = upload_url(settings)
    uri = f"{url}/{namespace}/.kn-lambda-doctor-{uuid.uuid4().hex}"
    storage = upload_storage(settings)
    storage.write(uri, io.BytesIO(b"written by kn-lambda doctor\n"))
    storage.delete(uri)
    return Verdict.OK, f"{url} is writable", ""


def _check_registry(
    installation: Installation, settings: Mapping[str, str]
) -> tuple[Verdict, str, str]:
    url = urlsplit(settings.get("KN_LAMBDA_REGISTRY_URL", ""))
    if url.scheme == "file":
        folder = Path(unquote(url.path))
        if folder.is_dir():
            return Verdict.OK, f"{folder} exists", ""
        return Verdict.FAILED, f"{folder} does not exist", "Start the platform again: kn-lambda up"
    base = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    if url.hostname and url.hostname.endswith(".cluster.local"):
        return Verdict.WARNING, f"{base} is reachable only inside the cluster", ""
    response = installation.http.request("GET", f"{base}/v2/")
    if response.is_success or response.status == _UNAUTHORIZED:
        return Verdict.OK, f"{base} responds", ""
    found = f"{base}/v2/ returned {response.status}"
    return Verdict.FAILED, found, "Check KN_LAMBDA_REGISTRY_URL."
