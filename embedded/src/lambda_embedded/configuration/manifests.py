"""Applies the configuration to the platform, as `kubectl apply -k --prune` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_embedded.configuration.kustomization import KustomizationError, read_kustomization
from lambda_embedded.store.objects import AlreadyExistsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_embedded.store.objects import KubernetesObject, Objects

__all__ = ["Applied", "KustomizationError", "apply_manifests", "is_run_here", "read_manifests"]

OWNERSHIP_ANNOTATION = "knative-lambda.dev/applied-from"
_OWNER = "config"
# "false" on an object that the embedded platform does without, such as a store of its own.
_EMBEDDED_ANNOTATION = "knative-lambda.dev/embedded"
_GROUPS = {
    "Namespace": "",
    "ConfigMap": "",
    "Secret": "",
    "Broker": "eventing.knative.dev",
    "Trigger": "eventing.knative.dev",
    "PingSource": "sources.knative.dev",
    "ApiServerSource": "sources.knative.dev",
    "Service": "serving.knative.dev",
}
"""Kinds that the embedded platform runs, in the order in which they must exist."""


def is_run_here(api_version: str, kind: str) -> bool:
    """Whether the embedded platform does something about a kind of `config/`."""
    return _GROUPS.get(kind) == api_version.rpartition("/")[0]


Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects of a configuration for the embedded platform."""

    wanted: tuple[KubernetesObject, ...]
    ignored: tuple[str, ...]
    """Kinds that mean something on a cluster only, such as roles and network policies."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one apply changed, as `Kind namespace/name`."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def read_manifests(
    folder: Path,
    *,
    config_maps: Mapping[tuple[str, str], Mapping[str, str]],
    secrets: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
) -> Manifests:
    """Read a kustomization folder; the data of `config_maps` (by namespace, name) is replaced.

    Data of `secrets` (in base64) is put over what the configuration has. What it does not have of
    either is added, unless it is an empty Secret.
    """
    wanted: list[KubernetesObject] = []
    ignored = set()
    for item in read_kustomization(folder):
        if not is_run_here(str(item.get("apiVersion", "")), item["kind"]):
            ignored.add(item["kind"])
            continue
        if (item["metadata"].get("annotations") or {}).get(_EMBEDDED_ANNOTATION) == "false":
            continue
        if item["kind"] != "Namespace":
            item["metadata"].setdefault("namespace", "default")
        wanted.append(item)
    for (namespace, name), data in config_maps.items():
        _of_configuration(wanted, "ConfigMap", namespace, name)["data"] = dict(data)
    for (namespace, name), data in (secrets or {}).items():
        if data:
            _put_over(_of_configuration(wanted, "Secret", namespace, name), data)
    order = list(_GROUPS)
    wanted.sort(key=lambda item: order.index(item["kind"]))
    return Manifests(tuple(wanted), tuple(sorted(ignored)))


def apply_manifests(objects: Objects, wanted: Sequence[KubernetesObject]) -> Applied:
    """Create or update the objects, and delete those of an earlier apply that are gone.

    Idempotent; the status and what others own in the metadata stay. An object that is as wanted
    is not written.
    """
    created, changed = [], []
    for item in wanted:
        label = _label(item)
        owned = _with_ownership(item)
        try:
            objects.create(item["kind"], owned)
            created.append(label)
        except AlreadyExistsError:
            if _update(objects, owned):
                changed.append(label)
    removed = _prune(objects, {_identity(item) for item in wanted})
    return Applied(tuple(created), tuple(changed), tuple(removed))


def _update(objects: Objects, item: KubernetesObject) -> bool:
    kind, namespace, name = _identity(item)
    old = objects.get(kind, namespace, name)
    new = {**item, "metadata": {**old["metadata"], **item["metadata"]}}
    if "labels" not in item["metadata"]:
        new["metadata"].pop("labels", None)
    if "status" in old:
        new["status"] = old["status"]
    written = objects.update(kind, new)
    return bool(written["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"])


def _prune(objects: Objects, wanted: set[Identity]) -> list[str]:
    removed = []
    for kind in reversed(_GROUPS):
        for item in objects.list(kind):
            annotations = item["metadata"].get("annotations") or {}
            if annotations.get(OWNERSHIP_ANNOTATION) == _OWNER and _identity(item) not in wanted:
                objects.delete(*_identity(item))
                removed.append(_label(item))
    return removed


def _of_configuration(
    wanted: list[KubernetesObject], kind: str, namespace: str, name: str
) -> KubernetesObject:
    """Return the object, which is added if it is not there."""
    for item in wanted:
        if _identity(item) == (kind, namespace, name):
            return item
    metadata = {"namespace": namespace, "name": name}
    wanted.append({"apiVersion": "v1", "kind": kind, "metadata": metadata})
    return wanted[-1]


def _put_over(secret: KubernetesObject, data: Mapping[str, str]) -> None:
    secret["data"] = {**(secret.get("data") or {}), **data}
    # It would win over `data`.
    for name in data.keys() & (secret.get("stringData") or {}).keys():
        del secret["stringData"][name]


def _with_ownership(item: KubernetesObject) -> KubernetesObject:
    annotations = item["metadata"].get("annotations") or {}
    owned = {**annotations, OWNERSHIP_ANNOTATION: _OWNER}
    return {**item, "metadata": {**item["metadata"], "annotations": owned}}


def _identity(item: KubernetesObject) -> Identity:
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace", ""), metadata["name"]


def _label(item: KubernetesObject) -> str:
    kind, namespace, name = _identity(item)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
