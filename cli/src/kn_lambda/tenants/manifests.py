"""What makes a namespace a tenant: the objects of `config/components/tenant`, and people's rights.

The component is read as kustomize reads it, so a tenant of this command and one of a kustomization
are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.installation import CONTROL_NAMESPACE
from knative_lambda.adapters.kubernetes.client import BROKERS, Resource
from lambda_embedded.configuration.kustomization import read_components
from lambda_embedded.installation import INSTALLATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kn_lambda.tenants.subjects import Subject
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

LABEL = "knative-lambda.dev/tenant"
PART_OF = {"app.kubernetes.io/part-of": "knative-lambda"}
QUOTA = "lambdas"
EDIT, VIEW = "knative-lambda-edit", "knative-lambda-view"
"""Names of the RoleBindings of people, and of the ClusterRoles that these bind."""
KAFKA_BROKER, PULL_SECRET = "kafka-broker", "pull-secret"
COMPONENTS = (KAFKA_BROKER, PULL_SECRET)
"""Components of `config/` that change what a tenant has."""

NAMESPACES = Resource("api/v1", "namespaces")
ROLE_BINDINGS = Resource("apis/rbac.authorization.k8s.io/v1", "rolebindings")
SERVICE_ACCOUNTS = Resource("api/v1", "serviceaccounts")
RESOURCES = {
    "Namespace": NAMESPACES,
    "ServiceAccount": SERVICE_ACCOUNTS,
    "ResourceQuota": Resource("api/v1", "resourcequotas"),
    "LimitRange": Resource("api/v1", "limitranges"),
    "NetworkPolicy": Resource("apis/networking.k8s.io/v1", "networkpolicies"),
    "RoleBinding": ROLE_BINDINGS,
    "Broker": BROKERS,
}
"""Where each kind of a tenant's manifests is found."""

_SETTINGS_ROLE = "knative-lambda-settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """What a tenant shall be."""

    name: str
    components: tuple[str, ...] = ()
    quota: Mapping[str, str] = field(default_factory=dict)
    """Of the ResourceQuota; what is not here is as the component says."""
    editors: tuple[Subject, ...] = ()
    viewers: tuple[Subject, ...] = ()


def tenant_manifests(tenant: Tenant) -> list[KubernetesObject]:
    """Return all objects of a tenant, its namespace first."""
    folders = [INSTALLATION / "config/components" / name for name in ("tenant", *tenant.components)]
    items = read_components(folders, namespace=tenant.name)
    hard = next(item for item in items if item["kind"] == "ResourceQuota")["spec"]["hard"]
    hard.update(tenant.quota)
    return [*items, *_rights(tenant)]


def limited_resources() -> list[str]:
    """Return the resources that the quota of every tenant limits."""
    items = tenant_manifests(Tenant(name="any"))
    return list(next(item for item in items if item["kind"] == "ResourceQuota")["spec"]["hard"])


def people_bindings(name: str) -> list[tuple[str, str]]:
    """Return namespace and name of each RoleBinding that a tenant may have for people."""
    return [(name, EDIT), (name, VIEW), (CONTROL_NAMESPACE, f"{_SETTINGS_ROLE}-{name}")]


def _rights(tenant: Tenant) -> Iterator[KubernetesObject]:
    for name, subjects in ((EDIT, tenant.editors), (VIEW, tenant.viewers)):
        if subjects:
            yield _binding(tenant.name, name, "ClusterRole", name, subjects)
    everybody = tuple(sorted({*tenant.editors, *tenant.viewers}))
    if everybody:
        namespace, name = people_bindings(tenant.name)[-1]
        yield _binding(namespace, name, "Role", _SETTINGS_ROLE, everybody)


def _binding(
    namespace: str, name: str, kind: str, role: str, subjects: tuple[Subject, ...]
) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(PART_OF)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [subject.to_json() for subject in subjects],
    }
