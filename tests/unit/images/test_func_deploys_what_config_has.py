"""`func deploy` and `kubectl apply -k` make the same Services, but for what this file lists.

It compares with a model of func: the command itself talks to a cluster only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.images.helpers.func_service import new_service, updated_service

CHECKOUT = Path(__file__).parents[3]
FUNCTIONS = sorted(file.parent.name for file in (CHECKOUT / "functions").glob("*/func.yaml"))
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.user-container"
SCALE = "spec.template.metadata.annotations.autoscaling.knative.dev"

# What func adds whatever one asks of it; none of it changes how the function runs.
ADDED_BY_FUNC = {
    f"{CONTAINER}.env.BUILT",
    f"{CONTAINER}.env.ADDRESS",
    f"{SCALE}/metric",
    f"{SCALE}/target-utilization-percentage",
}
# func.yaml has no key for them. A Service that config/ made before keeps them when func updates it.
LOST_BY_A_NEW_SERVICE = {
    f"{POD}.timeoutSeconds",
    f"{POD}.enableServiceLinks",
    f"{POD}.automountServiceAccountToken",
    f"{CONTAINER}.securityContext.readOnlyRootFilesystem",
}


def configured(name: str) -> dict[str, Any]:
    file = CHECKOUT / "config/base/functions" / f"{name}.yaml"
    services = (item for item in yaml.safe_load_all(file.read_text()) if item["kind"] == "Service")
    service = next(item for item in services if item["metadata"]["name"] == name)
    # Which digest runs is what a deployment decides.
    service["spec"]["template"]["spec"]["containers"][0].pop("image")
    return service


def func_yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load((CHECKOUT / "functions" / name / "func.yaml").read_text())


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf by its path; items of lists by name, mounts and volumes by what they are."""
    if isinstance(value, list):
        value = {_name(item): item for item in value}
    if not isinstance(value, dict):
        return {path: value}
    leaves: dict[str, Any] = {}
    for key, item in value.items():
        leaves |= flat(item, f"{path}.{key}".lstrip("."))
    return leaves


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    if "mountPath" in item:
        return item["mountPath"]
    for reference in ("configMapRef", "configMap", "secretRef", "secret"):
        if reference in item:
            return item[reference].get("name") or item[reference]["secretName"]
    return "emptyDir" if "emptyDir" in item else item["name"]


def comparable(service: dict[str, Any]) -> dict[str, Any]:
    """Leaves of the spec as Kubernetes reads them; the name of a list's item is in its path."""
    leaves = flat({"spec": service["spec"], "labels": service["metadata"]["labels"]})
    # func mounts no Secret that may be absent; Secrets are read-only whatever a mount says.
    skipped = (".name", ".optional", ".readOnly")
    return {
        path: _plain(path, value) for path, value in leaves.items() if not path.endswith(skipped)
    }


def _plain(path: str, value: Any) -> Any:
    if path.endswith("/target"):
        return float(value)
    return {"1000m": "1", "2000m": "2"}.get(value, value) if path.endswith(".cpu") else value


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> set[str]:
    left, right = comparable(ours), comparable(theirs)
    found = {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)}
    return {path.removesuffix(".value") for path in found if "function.knative.dev" not in path}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_func_makes_a_new_service_as_config_has_it(name: str) -> None:
    found = differences(configured(name), new_service(func_yaml(name)))
    assert found - LOST_BY_A_NEW_SERVICE == ADDED_BY_FUNC


@pytest.mark.parametrize("name", FUNCTIONS)
def test_func_leaves_a_service_of_config_as_it_was(name: str) -> None:
    service = configured(name)
    assert differences(service, updated_service(func_yaml(name), service)) == ADDED_BY_FUNC
