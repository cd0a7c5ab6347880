"""What versions before one container left: a Job that may end after an upgrade, and its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes.client import JOBS, LAMBDA_FUNCTIONS
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.domain.build import BuildOrder
    from tests.helpers.platforms import Platform


def start_older_job(platform: Platform, order: BuildOrder) -> str:
    """Make such a Job and return its name."""
    metadata = {
        "labels": labels.function_labels(order.function),
        "annotations": {labels.BUILD_ID: order.build_id, labels.REQUEST_ID: order.request_id},
    }
    named = {"name": order.name, "namespace": platform.namespace}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": named | metadata,
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": 600,
            "ttlSecondsAfterFinished": 3600,
            "podFailurePolicy": {
                "rules": [
                    {"action": "FailJob", "onExitCodes": _mistake_in("build")},
                    {"action": "FailJob", "onExitCodes": _mistake_in("publish")},
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                ]
            },
            "template": {"metadata": metadata, "spec": _POD},
        },
    }
    platform.hands.api.create(JOBS, job)
    return order.name


def write_older_record(platform: Platform, order: BuildOrder) -> None:
    """Write the record of a lambda that is being built by it."""
    time, _, event_id = order.request_id.partition("/")
    stored = platform.hands.api.create(
        LAMBDA_FUNCTIONS,
        {
            "apiVersion": "knative-lambda.dev/v1alpha1",
            "kind": "LambdaFunction",
            "metadata": {
                "name": order.function.name,
                "namespace": order.function.namespace,
                "labels": labels.function_labels(order.function),
                "annotations": {labels.REQUEST_ID: event_id, labels.REQUEST_TIME: time},
            },
            "spec": {"source": {"inline": {"main.py": "x"}}, "runtime": order.runtime},
        },
    )
    stored["status"] = {
        "phase": "Building",
        "observedGeneration": 1,
        "build": {
            "id": order.build_id,
            "wishId": event_id,
            "wishTime": time,
            "job": order.name,
            "startedAt": time,
        },
        "conditions": [
            {"type": type_, "status": status, "reason": "", "lastTransitionTime": time}
            for type_, status in (("SourceReady", "True"), ("BuildReady", "Unknown"))
        ],
    }
    platform.hands.api.replace(LAMBDA_FUNCTIONS, stored, subresource="status")


def _mistake_in(container: str) -> dict[str, Any]:
    return {"containerName": container, "operator": "In", "values": [1]}


def _container(name: str, *programs: str) -> dict[str, Any]:
    mounts = {"workspace": "/workspace", "tmp": "/tmp"}
    if name == "publish":
        mounts["registry"] = "/var/run/secrets/registry"
    return {
        "name": name,
        "image": "registry/builder",
        "command": [word for each in programs for word in ("python", "-m", each)],
        "env": [{"name": "BUILD_WORKSPACE", "value": "/workspace"}],
        "volumeMounts": [{"name": key, "mountPath": path} for key, path in mounts.items()],
    }


_POD = {
    "restartPolicy": "Never",
    "automountServiceAccountToken": False,
    "initContainers": [_container("build", "lambda_builder.fetch", "lambda_builder.build")],
    "containers": [_container("publish", "lambda_builder.publish")],
    "volumes": [
        {"name": "workspace", "emptyDir": {"sizeLimit": "2Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "registry", "secret": {"secretName": "knative-lambda-registry"}},
    ],
}
