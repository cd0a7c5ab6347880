"""What `kn-lambda status` knows of a platform, as one document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.disk_usage import disk_usage
from kn_lambda.cluster.installation import CONTROL_BROKER, CONTROL_NAMESPACE
from kn_lambda.cluster.readiness import readiness
from kn_lambda.cluster.records import status_of, text
from kn_lambda.cluster.running import platform_info
from knative_lambda.adapters.kubernetes.client import BROKERS, LAMBDA_FUNCTIONS, SERVICES
from knative_lambda.domain.errors import KnativeLambdaError
from lambda_embedded.data_folder import DataFolder

if TYPE_CHECKING:
    from pathlib import Path

    from kn_lambda.cluster.installation import Installation

CONTROL_FUNCTIONS = ("build-start", "publish", "build-complete", "delete", "cleanup", "dead-letter")
_TENANT_BROKER = "default"
_FACTS = ("startedAt", "urls", "sandbox", "kubeconfig")


def embedded_status(home: Path) -> dict[str, Any]:
    """Return the state of the embedded platform of a folder, which need not run.

    `state` is `running`, `stopped`, or `changing` while it starts or stops.
    """
    folder, facts = DataFolder(home), platform_info(home)
    is_locked = folder.is_locked()
    state = "stopped" if not is_locked else "running" if facts else "changing"
    status: dict[str, Any] = {"platform": "embedded", "state": state}
    if is_locked:
        status["pid"] = folder.owner()
    if state == "running":
        status |= {name: facts[name] for name in _FACTS if name in facts}
    return {**status, "home": str(home), "bytes": disk_usage(home)}


def cluster_status(installation: Installation, namespace: str) -> dict[str, Any]:
    """Return the state of an installation on a cluster; raises if there is none."""
    settings, api = installation.settings(), installation.api
    brokers = ((CONTROL_NAMESPACE, CONTROL_BROKER), (namespace, _TENANT_BROKER))
    return {
        "platform": "cluster",
        "state": "running",
        "name": installation.name,
        "builder": settings.get("KN_LAMBDA_BUILD_JOB_IMAGE", ""),
        "controlFunctions": {
            name: readiness(api.find(SERVICES, CONTROL_NAMESPACE, name))
            for name in CONTROL_FUNCTIONS
        },
        "brokers": {
            f"{where}/{name}": readiness(api.find(BROKERS, where, name)) for where, name in brokers
        },
    }


def functions_by_phase(installation: Installation, namespace: str) -> dict[str, int]:
    """Count the functions of all namespaces, or of this one if the user may not list all."""
    try:
        return _count(installation, None)
    except KnativeLambdaError:
        return _count(installation, namespace)


def _count(installation: Installation, namespace: str | None) -> dict[str, int]:
    items = installation.api.list(LAMBDA_FUNCTIONS, namespace)
    return dict(Counter(text(status_of(item).get("phase")) or "Pending" for item in items))
