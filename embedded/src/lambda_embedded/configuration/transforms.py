"""What a kustomization does to all of its objects: namespace, labels, annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.store.objects import KubernetesObject

CLUSTER_SCOPED = frozenset(
    {
        "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace",
        "PriorityClass", "StorageClass", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    }
)  # fmt: skip


def set_namespace(items: Iterable[KubernetesObject], namespace: str) -> None:
    """Put every namespaced object into `namespace`; a Namespace takes its name, as in kustomize."""
    for item in items:
        if item["kind"] == "Namespace":
            item["metadata"]["name"] = namespace
        elif item["kind"] not in CLUSTER_SCOPED:
            item["metadata"]["namespace"] = namespace


def add_labels(items: Iterable[KubernetesObject], fields: Mapping[str, Any]) -> None:
    """Apply `labels`, `commonLabels` and `commonAnnotations` of a kustomization."""
    everywhere: dict[str, str] = dict(fields.get("commonLabels") or {})
    own: dict[str, str] = {}
    for entry in fields.get("labels") or []:
        inside = entry.get("includeSelectors") or entry.get("includeTemplates")
        (everywhere if inside else own).update(entry.get("pairs") or {})
    annotations = dict(fields.get("commonAnnotations") or {})
    for item in items:
        _extend(item["metadata"], "labels", own | everywhere)
        _extend(item["metadata"], "annotations", annotations)
        _extend_template(item, "labels", everywhere)
        _extend_template(item, "annotations", annotations)


def _extend(metadata: dict[str, Any], field: str, values: Mapping[str, str]) -> None:
    if values:
        metadata[field] = {**(metadata.get(field) or {}), **values}


def _extend_template(item: KubernetesObject, field: str, values: Mapping[str, str]) -> None:
    spec = item.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if isinstance(template, dict):
        _extend(template.setdefault("metadata", {}), field, values)
