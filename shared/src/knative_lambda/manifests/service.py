"""The Knative Service of a lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.hosted_source import is_hosted
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.lambda_function import EnvironmentVariable, Scale
    from knative_lambda.domain.storage import SourceSuffixes

_AUTOSCALING = "autoscaling.knative.dev"
# The queue-proxy beside each instance holds ten requests for each under way, and rejects more.
_QUEUED_PER_REQUEST = 10
# Requests at once that an instance has to take, or the lambda keeps the activator in front of it.
_BURST = 50
# A process is not alive to its probe while it imports what it needs.
_START_SECONDS = 120
_LIVENESS_SECONDS = 10
# On the node's disk; a Pod that writes more is evicted.
_TEMPORARY_SPACE = "512Mi"


def lambda_service(deployment: Deployment, source_suffixes: SourceSuffixes = ()) -> dict[str, Any]:
    """Return the Service; every change of it makes a Revision, and nothing else does.

    So the Pod template holds what depends on spec and image alone, and no times or counters.
    """
    function, spec = deployment.function, deployment.spec
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": function.name,
            "namespace": function.namespace,
            "labels": labels.function_labels(function),
            "annotations": {
                labels.GENERATION: str(deployment.generation),
                labels.OWNER_UID: deployment.uid,
            },
            "ownerReferences": [labels.owner_reference(function, deployment.uid)],
        },
        "spec": {
            "template": {
                "metadata": {
                    "labels": labels.function_labels(function),
                    "annotations": _scale(spec.scale),
                },
                "spec": {
                    "containerConcurrency": spec.scale.concurrency,
                    "timeoutSeconds": spec.timeout_seconds,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "containers": [_container(deployment, source_suffixes)],
                    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": _TEMPORARY_SPACE}}],
                },
            }
        },
    }


def _scale(scale: Scale) -> dict[str, str]:
    capacity = scale.burst_capacity
    if capacity is None and scale.concurrency * (1 + _QUEUED_PER_REQUEST) >= _BURST:
        capacity = 0
    numbers = {
        "min-scale": scale.min,
        "max-scale": scale.max,
        "target": scale.target,
        "target-burst-capacity": capacity,
    }
    return {
        f"{_AUTOSCALING}/{name}": str(number)
        for name, number in numbers.items()
        if number is not None
    }


def _container(deployment: Deployment, source_suffixes: SourceSuffixes) -> dict[str, Any]:
    spec = deployment.spec
    return {
        "name": "user-container",
        "image": deployment.image,
        "env": [*_contract(deployment, source_suffixes), *map(_variable, spec.env)],
        "readinessProbe": {"httpGet": {"path": "/health/readiness"}},
        "livenessProbe": _liveness(spec.timeout_seconds),
        "resources": spec.resources.to_json(),
        # An emptyDir of this Pod alone, writable for any user that the image has.
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _liveness(timeout_seconds: int) -> dict[str, Any]:
    """Restart a process that has not responded for longer than one request may keep it busy.

    Code that blocks the event loop blocks the response too. A probe's timeout equals
    its period, so that one is always pending when the loop is free for a moment.
    """
    return {
        "httpGet": {"path": "/health/liveness"},
        "initialDelaySeconds": _START_SECONDS,
        "periodSeconds": _LIVENESS_SECONDS,
        "timeoutSeconds": _LIVENESS_SECONDS,
        "failureThreshold": timeout_seconds // _LIVENESS_SECONDS + 2,
    }


def _contract(deployment: Deployment, source_suffixes: SourceSuffixes) -> list[dict[str, str]]:
    """Return the variables that tell the runtime's server what it serves."""
    spec = deployment.spec
    variables = {
        "FUNCTION_NAME": str(deployment.function),
        "FUNCTION_SIGNATURE": spec.signature,
        "FUNCTION_TIMEOUT_SECONDS": str(spec.timeout_seconds),
        "FUNCTION_CONCURRENCY": str(spec.scale.concurrency),
    }
    handler = spec.handler or _handler_of_single_file(spec.source.uri, source_suffixes)
    if handler is not None:
        variables["FUNCTION_HANDLER"] = handler
    return [{"name": name, "value": value} for name, value in variables.items()]


def _handler_of_single_file(uri: str | None, suffixes: SourceSuffixes) -> str | None:
    """One file of code, `s3://bucket/greet.<suffix>`, is served as `greet.handler`."""
    named = uri or ""
    if is_hosted(named):
        # A file in a repository; an archive has many, and the names of both may end like code.
        named = named.partition("#")[2]
    file = named.rpartition("/")[2]
    return f"{file.rpartition('.')[0]}.handler" if file.endswith(suffixes) else None


def _variable(variable: EnvironmentVariable) -> dict[str, Any]:
    if variable.secret_key_ref is not None:
        return {
            "name": variable.name,
            "valueFrom": {"secretKeyRef": variable.secret_key_ref.to_json()},
        }
    if variable.config_map_key_ref is not None:
        return {
            "name": variable.name,
            "valueFrom": {"configMapKeyRef": variable.config_map_key_ref.to_json()},
        }
    return {"name": variable.name, "value": variable.value}
