"""The Job of a build: one container that installs packages and leaves them in storage.

The contract with the program in it is in docs/BUILD_AND_RUNTIME.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.packages import PackageIndexes
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_secret import SECRET_VARIABLES, build_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.domain.build import BuildOrder

CONTAINER = "build"
WORKSPACE = "/workspace"
_HOME = "/home/build"
_TEMPORARY = "/tmp"  # noqa: S108  # an emptyDir of this Pod alone
_USER_MISTAKE = 1
_UID = 65532


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildJobOptions:
    """What an installation sets once for all builds."""

    namespace: str
    build_job_image: str
    runtimes_dir: str
    timeout: timedelta
    context_max_bytes: int
    unpacked_max_bytes: int
    max_files: int
    packages_max_bytes: int
    """Of the archive that a build leaves."""
    indexes: PackageIndexes = field(default_factory=PackageIndexes)
    package_url_prefixes: tuple[str, ...] = ()
    """Other places that packages may come from."""
    allow_git_packages: bool = False
    allow_source_packages: bool = False
    require_hashes: bool = False


def build_job(
    order: BuildOrder, options: BuildJobOptions, *, waits: bool = False
) -> dict[str, Any]:
    """Return the Job; whoever may read it learns nothing that opens storage or an index."""
    metadata = {
        "labels": labels.function_labels(order.function),
        "annotations": {labels.BUILD_ID: order.build_id, labels.JOB_REQUEST_ID: order.request_id},
    }
    seconds = int(options.timeout.total_seconds())
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": order.name, "namespace": options.namespace, **metadata},
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": 3600,
            "podFailurePolicy": {"rules": _failure_rules()},
            # Released by build-start when there is room; its deadline counts from then on.
            **({"suspend": True} if waits else {}),
            "template": {"metadata": metadata, "spec": _pod(order, options, seconds)},
        },
    }


def index_credentials(job: Mapping[str, Any], options: BuildJobOptions) -> str | None:
    """Return those of the index that this Job names.

    None if the settings have come to name another one since the Job was made: it may have waited,
    or be one of an earlier version.
    """
    containers = job["spec"]["template"]["spec"]["containers"]
    variables = [each for container in containers for each in container.get("env") or ()]
    said = {each["name"]: each.get("value") for each in variables}
    index = options.indexes.of(said.get("RUNTIME", ""))
    return index.credentials if said.get("PACKAGE_INDEX_URL") == index.url else None


def _failure_rules() -> list[dict[str, Any]]:
    """Do not retry a mistake in the source, and do not count a lost node as an attempt."""
    mistake = {"containerName": CONTAINER, "operator": "In", "values": [_USER_MISTAKE]}
    disruption = {"type": "DisruptionTarget", "status": "True"}
    return [
        {"action": "FailJob", "onExitCodes": mistake},
        {"action": "Ignore", "onPodConditions": [disruption]},
    ]


def _pod(order: BuildOrder, options: BuildJobOptions, seconds: int) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _UID,
            "fsGroup": _UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(order, options, seconds)],
        "volumes": [
            {"name": "workspace", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "home", "emptyDir": {"sizeLimit": "16Mi"}},
        ],
    }


def _container(order: BuildOrder, options: BuildJobOptions, seconds: int) -> dict[str, Any]:
    environment = _environment(order, options, seconds)
    return {
        "name": CONTAINER,
        "image": options.build_job_image,
        # Isolated: nothing that a package leaves behind has a say in how it starts.
        "command": ["python", "-I", "-m", "lambda_builder.packages"],
        "env": [
            *({"name": name, "value": value} for name, value in environment.items()),
            *(_from_secret(order, name) for name in SECRET_VARIABLES),
        ],
        "volumeMounts": [
            {"name": "workspace", "mountPath": WORKSPACE},
            {"name": "tmp", "mountPath": _TEMPORARY},
            {"name": "home", "mountPath": _HOME},
        ],
        "resources": {
            # Of the disk it asks for little and may take much: where a node is short of it, the
            # kubelet ends those first that are the furthest above what they asked for.
            "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "512Mi"},
            "limits": {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "3Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _from_secret(order: BuildOrder, name: str) -> dict[str, Any]:
    reference = {
        "name": build_secret_name(order),
        "key": name,
        "optional": not SECRET_VARIABLES[name],
    }
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


def _environment(order: BuildOrder, options: BuildJobOptions, seconds: int) -> dict[str, str]:
    environment = {
        "BUILD_WORKSPACE": WORKSPACE,
        "TERMINATION_MESSAGE_PATH": "/dev/termination-log",
        "TMPDIR": _TEMPORARY,
        "HOME": _HOME,
        "CONTEXT_SHA256": order.context_sha256,
        "CONTEXT_MAX_BYTES": str(options.context_max_bytes),
        "SOURCE_MAX_BYTES": str(options.unpacked_max_bytes),
        "SOURCE_MAX_FILES": str(options.max_files),
        "RESULT_MAX_BYTES": str(options.packages_max_bytes),
        "RUNTIME": order.runtime,
        "RUNTIMES_DIR": options.runtimes_dir,
        # Ends before the Job's own deadline, so that the log says what took so long.
        "BUILD_TIMEOUT_SECONDS": str(max(1, seconds * 9 // 10)),
    }
    if (index := options.indexes.of(order.runtime)).url is not None:
        environment["PACKAGE_INDEX_URL"] = index.url
    if options.package_url_prefixes:
        environment["PACKAGE_URL_PREFIXES"] = json.dumps(options.package_url_prefixes)
    flags = {
        "ALLOW_GIT_PACKAGES": options.allow_git_packages,
        "ALLOW_SOURCE_PACKAGES": options.allow_source_packages,
        "REQUIRE_HASHES": options.require_hashes,
    }
    return environment | {name: "true" for name, is_set in flags.items() if is_set}
