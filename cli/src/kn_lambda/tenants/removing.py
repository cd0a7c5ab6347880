"""Takes from a namespace what made it a tenant."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kn_lambda.errors import TimedOutError
from kn_lambda.tenants.applying import Change
from kn_lambda.tenants.living import chosen_components, serves
from kn_lambda.tenants.manifests import (
    NAMESPACES,
    PART_OF,
    RESOURCES,
    ROLE_BINDINGS,
    Tenant,
    people_bindings,
    tenant_manifests,
)
from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS, SERVICES, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_POLL_SECONDS = 0.5
_OF_A_LAMBDA = {"app.kubernetes.io/managed-by": "knative-lambda"}
# The namespace may have other inhabitants, and Kubernetes makes the account `default` itself.
_STAY = frozenset({"Namespace", "ServiceAccount"})


def revoke(installation: Installation, name: str) -> Iterator[Change]:
    """Take the rights of people first, so that nobody deploys while the rest goes."""
    if not serves(installation, "RoleBinding"):
        return
    for namespace, binding in people_bindings(name):
        live = installation.api.look_up(ROLE_BINDINGS, namespace, binding)
        if live is not None and _is_ours(live):
            installation.api.delete(ROLE_BINDINGS, namespace, binding)
            yield Change(item=_of_kind("RoleBinding", live), outcome="deleted")


def await_no_lambda(installation: Installation, name: str, timeout_seconds: float) -> None:
    """Wait until no lambda is left, and nothing that one owned.

    Until then the control functions need their rights.
    """
    deadline = time.monotonic() + timeout_seconds
    while left := _left(installation, name):
        if time.monotonic() > deadline:
            raise TimedOutError(
                f"{left} is still in namespace {name} after {timeout_seconds:.0f} s",
                hint="The rights of people are gone, and the deletion continues. "
                f"To finish: kn-lambda tenant remove {name} --delete-lambdas",
            )
        time.sleep(_POLL_SECONDS)


def remove_manifests(installation: Installation, name: str) -> Iterator[Change]:
    """Delete what is of Knative Lambda; the namespace and its account lose what it gave them."""
    api = installation.api
    items = tenant_manifests(Tenant(name=name, components=chosen_components(installation)))
    for item in sorted(items, key=lambda item: item["kind"] in _STAY):
        if not serves(installation, item["kind"]):
            continue
        resource, metadata = RESOURCES[item["kind"]], item["metadata"]
        place, own = metadata.get("namespace"), metadata["name"]
        live = api.look_up(resource, place, own)
        if live is None:
            continue
        if item["kind"] in _STAY:
            changed = _without(item, live)
            if changed:
                api.merge(resource, place, own, changed)
                yield Change(item=item, outcome="configured")
        elif _is_ours(live):
            api.delete(resource, place, own)
            yield Change(item=item, outcome="deleted")
        else:
            yield Change(item=item, outcome="kept: it is not of Knative Lambda")


def delete_namespace(installation: Installation, name: str) -> Change:
    """Begin to delete the namespace and all that is in it."""
    installation.api.delete(NAMESPACES, None, name)
    item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return Change(item=item, outcome="deleted")


def _left(installation: Installation, name: str) -> str:
    for word, resource, labels in (
        ("lambda", LAMBDA_FUNCTIONS, None),
        ("Service", SERVICES, _OF_A_LAMBDA),
        ("Trigger", TRIGGERS, _OF_A_LAMBDA),
    ):
        for item in installation.api.list(resource, name, labels=labels):
            return f"{word} {item['metadata']['name']}"
    return ""


def _is_ours(live: KubernetesObject) -> bool:
    labels = live["metadata"].get("labels") or {}
    return PART_OF.items() <= labels.items()


def _of_kind(kind: str, live: KubernetesObject) -> KubernetesObject:
    root = RESOURCES[kind].root
    return {"apiVersion": root.partition("/")[2], "kind": kind, "metadata": live["metadata"]}


def _without(item: KubernetesObject, live: KubernetesObject) -> dict[str, Any]:
    """Return the change that takes away what is there as the manifest has it."""
    labels, found = item["metadata"]["labels"], live["metadata"].get("labels") or {}
    change: dict[str, Any] = {}
    if ours := {name: None for name, value in labels.items() if found.get(name) == value}:
        change["metadata"] = {"labels": ours}
    for name in item.keys() - {"apiVersion", "kind", "metadata"}:
        if live.get(name) == item[name]:
            change[name] = None
    return change
