"""The Knative Service that func's deployer makes of a func.yaml, as read in its source.

Of knative/func pkg/deployer/knative/deployer.go: what is made new, and what is set when it updates.
"""

from __future__ import annotations

import copy
from typing import Any

AUTOSCALING = "autoscaling.knative.dev"
ANNOTATIONS = {"min": "min-scale", "max": "max-scale", "metric": "metric"}
FRACTIONS = {"target": "target", "utilization": "target-utilization-percentage"}


def new_service(function: dict[str, Any]) -> dict[str, Any]:
    """What `func deploy` creates where there is no Service of that name."""
    security = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container: dict[str, Any] = {"name": "user-container", "securityContext": security}
    empty = {"spec": {"template": {"metadata": {}, "spec": {"containers": [container]}}}}
    return updated_service(function, {"metadata": {"name": function["name"]}, **empty})


def updated_service(function: dict[str, Any], service: dict[str, Any]) -> dict[str, Any]:
    """What `func deploy` makes of a Service that is there; the rest of it stays."""
    service = copy.deepcopy(service)
    template, deploy = service["spec"]["template"], function["deploy"]
    labels = {label["key"]: label["value"] for label in deploy["labels"]}
    labels |= {
        "function.knative.dev": "true",
        "function.knative.dev/name": function["name"],
        "function.knative.dev/runtime": function["runtime"],
    }
    service["metadata"]["labels"] = template["metadata"]["labels"] = labels
    template["metadata"]["annotations"] = _scale(deploy["options"]["scale"])
    spec = template["spec"]
    spec["serviceAccountName"] = deploy["serviceAccountName"]
    resources = deploy["options"]["resources"]
    spec["containerConcurrency"] = resources["limits"]["concurrency"]
    (container,) = spec["containers"]
    container["resources"] = {
        part: {name: resources[part][name] for name in ("cpu", "memory")}
        for part in ("requests", "limits")
    }
    for probe, path in deploy["healthEndpoints"].items():
        container[f"{probe}Probe"] = {"httpGet": {"path": path}}
    container["env"], container["envFrom"] = _envs(function["run"]["envs"])
    spec["volumes"], container["volumeMounts"] = _volumes(function["run"].get("volumes", []))
    return service


def _scale(scale: dict[str, Any]) -> dict[str, str]:
    whole = {f"{AUTOSCALING}/{ANNOTATIONS[key]}": str(scale[key]) for key in ANNOTATIONS}
    return whole | {f"{AUTOSCALING}/{FRACTIONS[key]}": f"{scale[key]:f}" for key in FRACTIONS}


def _envs(envs: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    named = [env for env in envs if "name" in env]
    whole = []
    for env in envs:
        if "name" not in env:
            kind, name = (part.strip() for part in env["value"].strip("{} ").split(":"))
            whole.append({f"{kind}Ref": {"name": name}})
    told = [{"name": "BUILT", "value": "<time>"}, *named, {"name": "ADDRESS", "value": "0.0.0.0"}]
    return told, whole


def _volumes(
    volumes: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    made, mounts = [], []
    for volume in volumes:
        if "secret" in volume:
            name = f"secret-{volume['secret']}"
            made.append({"name": name, "secret": {"secretName": volume["secret"]}})
        elif "configMap" in volume:
            name = f"config-map-{volume['configMap']}"
            made.append({"name": name, "configMap": {"name": volume["configMap"]}})
        else:
            name = "empty-dir-<random>"
            made.append({"name": name, "emptyDir": volume["emptyDir"]})
        mounts.append({"name": name, "mountPath": volume["path"]})
    return made, mounts
