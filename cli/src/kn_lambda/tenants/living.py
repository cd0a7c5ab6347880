"""Tenants as a platform has them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.installation import CONTROL_BROKER, CONTROL_NAMESPACE
from kn_lambda.cluster.records import mapping, mappings, status_of, text
from kn_lambda.errors import MissingError
from kn_lambda.tenants.manifests import (
    EDIT,
    KAFKA_BROKER,
    LABEL,
    NAMESPACES,
    PART_OF,
    PULL_SECRET,
    QUOTA,
    RESOURCES,
    SERVICE_ACCOUNTS,
    VIEW,
)
from kn_lambda.tenants.subjects import Subject, subjects_of
from knative_lambda.adapters.kubernetes.client import BROKERS, LAMBDA_FUNCTIONS
from lambda_embedded.configuration.manifests import is_run_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_CLASS = "eventing.knative.dev/broker.class"
_PULL_SECRET = "knative-lambda-pull"  # noqa: S105 # the name of a Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class LivingTenant:
    """A tenant that is there, with what its namespace holds."""

    namespace: KubernetesObject
    lambdas: Mapping[str, int]
    """Number by phase."""
    quota: KubernetesObject | None
    editors: tuple[Subject, ...]
    viewers: tuple[Subject, ...]

    @property
    def name(self) -> str:
        """The name of its namespace."""
        return str(self.namespace["metadata"]["name"])

    @property
    def hard(self) -> dict[str, str]:
        """What all lambdas together may use."""
        spec = mapping(mapping((self.quota or {}).get("spec")).get("hard"))
        return {name: text(quantity) for name, quantity in spec.items()}

    @property
    def used(self) -> dict[str, str]:
        """What they use, where something counts it."""
        used = mapping(mapping((self.quota or {}).get("status")).get("used"))
        return {name: text(quantity) for name, quantity in used.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the document of a tenant."""
        return {
            "name": self.name,
            "createdAt": text(self.namespace["metadata"].get("creationTimestamp")),
            "lambdas": dict(sorted(self.lambdas.items())),
            "quota": {"hard": self.hard, "used": self.used},
            "mayEdit": [subject.to_json() for subject in self.editors],
            "mayView": [subject.to_json() for subject in self.viewers],
        }


def serves(installation: Installation, kind: str) -> bool:
    """Whether the platform does something about a kind; the embedded one has few of a tenant's."""
    if not installation.is_embedded:
        return True
    return is_run_here(RESOURCES[kind].root.partition("/")[2], kind)


def is_tenant(namespace: KubernetesObject | None) -> bool:
    """Whether a namespace is there and holds lambdas."""
    labels = mapping(mapping((namespace or {}).get("metadata")).get("labels"))
    return labels.get(LABEL) == "true"


def all_tenants(installation: Installation) -> list[LivingTenant]:
    """Return all tenants by name; the user needs to list these kinds in all namespaces."""
    api = installation.api
    namespaces = list(api.list(NAMESPACES, None, labels={LABEL: "true"}))
    records = list(api.list(LAMBDA_FUNCTIONS, None))
    quotas = _all(installation, "ResourceQuota")
    bindings = _all(installation, "RoleBinding")
    found = [_living(each, records, quotas, bindings) for each in namespaces]
    return sorted(found, key=lambda tenant: tenant.name)


def living_tenant(installation: Installation, name: str) -> LivingTenant:
    """Return one tenant; `MissingError` if there is none of the name."""
    api = installation.api
    namespace = api.look_up(NAMESPACES, None, name)
    if namespace is None or not is_tenant(namespace):
        state = "is not a tenant" if namespace else "does not exist"
        raise MissingError(
            f"namespace {name} {state}",
            hint=f"Make it one: kn-lambda tenant add {name}. "
            "See those that there are: kn-lambda tenant list",
        )
    quotas, bindings = (
        [api.look_up(RESOURCES[kind], name, each) for each in names]
        if serves(installation, kind)
        else []
        for kind, names in (("ResourceQuota", (QUOTA,)), ("RoleBinding", (EDIT, VIEW)))
    )
    records = api.list(LAMBDA_FUNCTIONS, name)
    return _living(namespace, records, filter(None, quotas), filter(None, bindings))


def chosen_components(installation: Installation) -> tuple[str, ...]:
    """Return the components of `config/` that the installation itself has, and its tenants need."""
    if installation.is_embedded:
        return ()
    api = installation.api
    broker = api.look_up(BROKERS, CONTROL_NAMESPACE, CONTROL_BROKER) or {}
    account = api.look_up(SERVICE_ACCOUNTS, CONTROL_NAMESPACE, "build-start") or {}
    annotations = mapping(mapping(broker.get("metadata")).get("annotations"))
    secrets = {each.get("name") for each in mappings(account.get("imagePullSecrets"))}
    chosen = {
        KAFKA_BROKER: annotations.get(_CLASS) == "Kafka",
        PULL_SECRET: _PULL_SECRET in secrets,
    }
    return tuple(name for name, is_chosen in chosen.items() if is_chosen)


def _all(installation: Installation, kind: str) -> list[KubernetesObject]:
    if not serves(installation, kind):
        return []
    return list(installation.api.list(RESOURCES[kind], None, labels=PART_OF))


def _living(
    namespace: KubernetesObject,
    records: Iterable[KubernetesObject],
    quotas: Iterable[KubernetesObject],
    bindings: Iterable[KubernetesObject],
) -> LivingTenant:
    name = namespace["metadata"]["name"]

    def own(items: Iterable[KubernetesObject]) -> list[KubernetesObject]:
        return [item for item in items if item["metadata"].get("namespace") == name]

    of_people = {item["metadata"]["name"]: item for item in own(bindings)}
    named = [item for item in own(quotas) if item["metadata"]["name"] == QUOTA]
    phases = Counter(text(status_of(item).get("phase")) or "Pending" for item in own(records))
    return LivingTenant(
        namespace=namespace,
        lambdas=phases,
        quota=named[0] if named else None,
        editors=subjects_of(of_people.get(EDIT)),
        viewers=subjects_of(of_people.get(VIEW)),
    )
