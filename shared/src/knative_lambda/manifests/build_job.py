"""The Job of a build: fetch, build and publish, none trusted with more than it needs.

The contract with the programs in it is in docs/BUILD_AND_RUNTIME.md, and why they are three in two
containers in docs/decisions/0011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knative_lambda.domain import build
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from datetime import timedelta

    from knative_lambda.domain.build import BuildOrder

WORKSPACE = "/workspace"
_DOCKER_CONFIG = "/var/run/secrets/registry"
_USER_MISTAKE = 1
# A program replaces itself with the next of its container, which finds nothing of the first.
_PROGRAMS = {"build": ("fetch", "build"), "publish": ("publish",)}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildJobOptions:
    """What an installation sets once for all builds."""

    namespace: str
    builder_image: str
    runtimes_dir: str
    timeout: timedelta
    context_max_bytes: int
    unpacked_max_bytes: int
    max_files: int
    package_index_url: str | None = None
    allow_source_packages: bool = False
    registry_secret: str | None = None


def build_job(order: BuildOrder, options: BuildJobOptions) -> dict[str, Any]:
    """Return the Job; it never runs user-chosen code where a secret is."""
    metadata = {
        "labels": labels.function_labels(order.function),
        "annotations": {labels.BUILD_ID: order.build_id, labels.REQUEST_ID: order.request_id},
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
            "template": {"metadata": metadata, "spec": _pod(order, options, seconds)},
        },
    }


def _failure_rules() -> list[dict[str, Any]]:
    """Do not retry a mistake in the source, and do not count a lost node as an attempt."""
    fail = [
        {
            "action": "FailJob",
            "onExitCodes": {
                "containerName": name,
                "operator": "In",
                "values": [_USER_MISTAKE],
            },
        }
        for name in _PROGRAMS
    ]
    disruption = {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    return [*fail, disruption]


def _pod(order: BuildOrder, options: BuildJobOptions, seconds: int) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": "workspace", "emptyDir": {"sizeLimit": "2Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
    if options.registry_secret is not None:
        items = [{"key": ".dockerconfigjson", "path": "config.json"}]
        secret = {"secretName": options.registry_secret, "items": items}
        volumes.append({"name": "registry", "secret": secret})
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            _container(
                "build",
                _fetch_environment(order, options) | _build_environment(order, options, seconds),
                options,
            ),
        ],
        "containers": [_publish_container(order, options)],
        "volumes": volumes,
    }


def _publish_container(order: BuildOrder, options: BuildJobOptions) -> dict[str, Any]:
    container = _container("publish", _publish_environment(order, options), options)
    if options.registry_secret is not None:
        container["volumeMounts"].append(
            {"name": "registry", "mountPath": _DOCKER_CONFIG, "readOnly": True}
        )
    return container


def _fetch_environment(order: BuildOrder, options: BuildJobOptions) -> dict[str, str]:
    return {
        "CONTEXT_URL": order.context_url,
        "CONTEXT_SHA256": order.context_sha256,
        "CONTEXT_MAX_BYTES": str(options.context_max_bytes),
        "SOURCE_MAX_BYTES": str(options.unpacked_max_bytes),
        "SOURCE_MAX_FILES": str(options.max_files),
    }


def _build_environment(order: BuildOrder, options: BuildJobOptions, seconds: int) -> dict[str, str]:
    environment = {
        "RUNTIME": order.runtime,
        "RUNTIMES_DIR": options.runtimes_dir,
        # Ends before the Job's own deadline, so that the log says what took so long.
        "BUILD_TIMEOUT_SECONDS": str(max(1, seconds * 9 // 10)),
    }
    if options.package_index_url is not None:
        environment["PACKAGE_INDEX_URL"] = options.package_index_url
    if options.allow_source_packages:
        environment["ALLOW_SOURCE_PACKAGES"] = "true"
    return environment


def _publish_environment(order: BuildOrder, options: BuildJobOptions) -> dict[str, str]:
    environment = {
        "IMAGE_REPOSITORY_URL": order.repository_url,
        "IMAGE_TAG": build.image_tag(order.build_id),
        "BASE_IMAGE_URL": order.base_image_url,
        "RUNTIME": order.runtime,
        "RUNTIMES_DIR": options.runtimes_dir,
    }
    if options.registry_secret is not None:
        environment["DOCKER_CONFIG"] = _DOCKER_CONFIG
    return environment


def _container(name: str, environment: dict[str, str], options: BuildJobOptions) -> dict[str, Any]:
    common = {
        "BUILD_WORKSPACE": WORKSPACE,
        "TERMINATION_MESSAGE_PATH": "/dev/termination-log",
        "HOME": "/tmp",  # noqa: S108  # an emptyDir of this Pod alone
    }
    return {
        "name": name,
        "image": options.builder_image,
        "command": [
            word
            for program in _PROGRAMS[name]
            for word in ("python", "-m", f"lambda_builder.{program}")
        ],
        "env": [{"name": key, "value": value} for key, value in (common | environment).items()],
        "volumeMounts": [
            {"name": "workspace", "mountPath": WORKSPACE},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "2", "memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
