"""Everything a platform has: its objects and its files, to be compared over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from knative_lambda.manifests.labels import FUNCTION_NAME
from tests.helpers.changing_folders import contents_below, regular_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

JOBS = "/apis/batch/v1/jobs"
PODS = "/api/v1/pods"
SERVICES = "/apis/serving.knative.dev/v1/services"
REVISIONS = "/apis/serving.knative.dev/v1/revisions"
TRIGGERS = "/apis/eventing.knative.dev/v1/triggers"
_TAG = "org.opencontainers.image.ref.name"
CONTROL_PLANE = "knative-lambda"
PLACES = ("storage", "registry", "images", "pods", "builds")


def owned(platform: EmbeddedPlatform, path: str, name: str) -> list[dict[str, Any]]:
    """Objects at a path of the API that carry the labels of a lambda."""
    return platform.list(path, **{FUNCTION_NAME: name})


def tags(platform: EmbeddedPlatform, name: str) -> list[str]:
    """What the kinds of all tags of a lambda's repository are: `build`, `packages`."""
    index = platform.home / "registry" / "default" / name / "index.json"
    manifests = json.loads(index.read_text())["manifests"] if index.exists() else []
    found = (each.get("annotations", {}).get(_TAG, "") for each in manifests)
    return sorted(tag.partition("-")[0] for tag in found if tag)


def objects(platform: EmbeddedPlatform) -> set[str]:
    """Every object of every kind that the API discovers, as kind, namespace and name.

    Pods of the control plane come and go with its load.
    """
    return {
        f"{kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for kind, path in _kinds(platform)
        for item in platform.list(path)
        if not (kind == "Pod" and item["metadata"]["namespace"] == CONTROL_PLANE)
    }


def files(platform: EmbeddedPlatform, *, without: str = "") -> set[str]:
    """Every file in storage, registry, images, logs and workspaces, below the data folder.

    Without those of the control plane's own Pods, and those below `without`.
    """
    return {
        str(relative)
        for place in PLACES
        for file in regular_files(platform.home / place)
        if not (relative := file.relative_to(platform.home)).is_relative_to(f"pods/{CONTROL_PLANE}")
        and not (without and relative.is_relative_to(without))
    }


def texts(platform: EmbeddedPlatform) -> Iterator[tuple[Path, str]]:
    """Every log of every Pod, and what the platform itself printed."""
    for file, content in contents_below(platform.home / "pods"):
        yield file, content.decode(errors="replace")
    for file in platform.home.glob("*.log"):
        yield file, file.read_text(errors="replace")


def _kinds(platform: EmbeddedPlatform) -> Iterator[tuple[str, str]]:
    groups = platform.api("GET", "/apis").data["groups"]
    versions = [f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups]
    for version in ("/api/v1", *versions):
        for resource in platform.api("GET", version).data["resources"]:
            if "list" in resource["verbs"]:
                yield resource["kind"], f"{version}/{resource['name']}"
