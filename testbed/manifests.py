"""Renders Knative for this testbed from the manifests that its Go modules carry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

FOLDERS = {
    "knative.dev/networking": ["config"],
    "knative.dev/caching": ["config"],
    "knative.dev/serving": ["config/core"],
    "knative.dev/net-kourier": ["config"],
    "knative.dev/eventing": [
        "config/core",
        "config/brokers/mt-channel-broker",
        "config/channels/in-memory-channel",
    ],
}
# One replica on one node has nothing to scale or to protect, and nothing here makes the last two.
DROPPED_KINDS = {"HorizontalPodAutoscaler", "PodDisruptionBudget", "Certificate", "Image"}
# Parts that nothing here uses.
DROPPED_WORKLOADS = {"job-sink", "request-reply"}
WORKLOADS = {"Deployment", "StatefulSet"}
WEBHOOKS = {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
LOCAL = "dev.local/"

Manifest = dict[str, Any]


def module_folder(module: str) -> Path:
    """Return where the module cache holds the version that go.mod of this folder selects."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", module]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def read(module: str, folder: str) -> list[Manifest]:
    """Return all manifests below a folder of the module, in the order of their names."""
    found: list[Manifest] = []
    for path in sorted((module_folder(module) / folder).rglob("*.yaml")):
        found += [each for each in yaml.safe_load_all(path.read_text()) if each]
    return found


def is_wanted(manifest: Manifest) -> bool:
    """Tell whether this cluster runs it."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    return kind not in DROPPED_KINDS and not (kind in WORKLOADS and name in DROPPED_WORKLOADS)


def fit_container(container: Manifest) -> None:
    """Make a container ask for little, be ready early and come from the local registry."""
    image = container["image"].removeprefix("ko://")
    container["image"] = LOCAL + ("envoy" if "envoyproxy" in image else image)
    container.setdefault("resources", {})["requests"] = {"cpu": "10m", "memory": "32Mi"}
    container["resources"].get("limits", {}).pop("cpu", None)
    if "readinessProbe" in container:
        container["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
        container["readinessProbe"]["failureThreshold"] = 10
    # Its hook calls a shell and curl, which this image has not.
    container.pop("lifecycle", None)
    for variable in container.get("env", []):
        if "configMapKeyRef" in variable.get("valueFrom", {}):
            # Only kinds that the testbed leaves out start these images.
            variable["value"] = LOCAL + variable.pop("valueFrom")["configMapKeyRef"]["key"]
        elif str(variable.get("value", "")).startswith("ko://"):
            variable["value"] = LOCAL + variable["value"].removeprefix("ko://")


def fit(manifest: Manifest, settings: dict[str, dict[str, str]]) -> Manifest:
    """Return the manifest as one small node can run it."""
    metadata = manifest["metadata"]
    if manifest["kind"] == "Deployment":
        pod = manifest["spec"]["template"]["spec"]
        for container in pod["containers"]:
            fit_container(container)
        pod.pop("affinity", None)
    if manifest["kind"] == "ConfigMap":
        metadata.get("annotations", {}).pop("knative.dev/example-checksum", None)
        data = manifest.setdefault("data", {}) or {}
        data.pop("_example", None)
        for key, value in data.items():
            data[key] = value.replace("ko://", LOCAL)
        manifest["data"] = data | settings.pop(f"{metadata['namespace']}/{metadata['name']}", {})
    return manifest


def stage(manifest: Manifest) -> str:
    """Return the file it belongs to; each file needs those before it."""
    if manifest["kind"] in {"CustomResourceDefinition", "Namespace"}:
        return "1-definitions"
    # A webhook refuses what it guards until its pod answers, so it comes after all that.
    return "3-webhooks" if manifest["kind"] in WEBHOOKS else "2-knative"


def main(target: str) -> None:
    """Write the rendered manifests, one file per stage."""
    own = Path(__file__).parent / "manifests"
    settings = yaml.safe_load((own / "settings.yaml").read_text())
    files: dict[str, list[Manifest]] = {}
    for module, folders in FOLDERS.items():
        for manifest in (each for folder in folders for each in read(module, folder)):
            if is_wanted(manifest):
                files.setdefault(stage(manifest), []).append(fit(manifest, settings))
    if settings:
        raise SystemExit(f"No such ConfigMap in Knative: {', '.join(settings)}")
    for name, manifests in files.items():
        # A Deployment before its ServiceAccount waits for the next try of its controller.
        manifests.sort(key=lambda each: each["kind"] in WORKLOADS)
        text = yaml.safe_dump_all(manifests, sort_keys=False)
        (Path(target) / f"{name}.yaml").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
