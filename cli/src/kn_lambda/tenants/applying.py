"""Makes a namespace a tenant, as `kubectl apply --server-side` would with a manager of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kn_lambda.errors import CommandError
from kn_lambda.tenants.living import serves
from kn_lambda.tenants.manifests import RESOURCES, ROLE_BINDINGS, people_bindings
from knative_lambda.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

FIELD_MANAGER = "kn-lambda-tenant"
_OF_THE_SERVER = frozenset({"managedFields", "resourceVersion", "generation"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of one object."""

    item: KubernetesObject
    outcome: str
    """As kubectl says it: `created`, `configured`, `unchanged` or `deleted`; `skipped` where the
    embedded platform has no such kind."""

    @property
    def reference(self) -> str:
        """The object as kubectl names it: `rolebinding.rbac.authorization.k8s.io/name`."""
        group = self.item["apiVersion"].rpartition("/")[0]
        kind = self.item["kind"].lower()
        return f"{kind}{'.' if group else ''}{group}/{self.item['metadata']['name']}"


def apply_manifests(
    installation: Installation,
    items: Sequence[KubernetesObject],
    *,
    takes_over: bool,
    is_rehearsal: bool,
) -> Iterator[Change]:
    """Apply each object in turn, and yield what became of it; its `item` is then as it is there.

    A rehearsal in a namespace that does not exist yet cannot ask the server about the rest.
    """
    api, is_missing = installation.api, set[str]()
    for item in items:
        resource, metadata = RESOURCES[item["kind"]], item["metadata"]
        namespace, name = metadata.get("namespace"), metadata["name"]
        if not serves(installation, item["kind"]):
            yield Change(item=item, outcome="skipped")
            continue
        live = api.look_up(resource, namespace, name)
        if is_rehearsal and namespace in is_missing:
            yield Change(item=item, outcome="created")
            continue
        if live is None and item["kind"] == "Namespace":
            is_missing.add(name)
        try:
            after = api.apply_as(
                FIELD_MANAGER, resource, item, takes_over=takes_over, is_rehearsal=is_rehearsal
            )
        except ConflictError as error:
            raise CommandError(
                f"somebody else has set what is to change: {error.message}",
                hint="To take these fields over, add --force-conflicts.",
            ) from error
        yield Change(item=after, outcome=_outcome(live, after))


def delete_rights_of_nobody(
    installation: Installation, tenant: str, wanted: Sequence[KubernetesObject]
) -> Iterator[Change]:
    """Delete the RoleBindings of people in which nobody is left."""
    if not serves(installation, "RoleBinding"):
        return
    kept = {(each["metadata"].get("namespace"), each["metadata"]["name"]) for each in wanted}
    for namespace, name in people_bindings(tenant):
        live = installation.api.look_up(ROLE_BINDINGS, namespace, name)
        if live is not None and (namespace, name) not in kept:
            installation.api.delete(ROLE_BINDINGS, namespace, name)
            yield Change(item=_with_kind(live), outcome="deleted")


def _with_kind(binding: KubernetesObject) -> KubernetesObject:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", **binding}


def _outcome(live: KubernetesObject | None, after: KubernetesObject) -> str:
    if live is None:
        return "created"
    return "unchanged" if _content(live) == _content(after) else "configured"


def _content(item: KubernetesObject) -> dict[str, Any]:
    metadata = item["metadata"]
    own = {name: metadata[name] for name in metadata.keys() - _OF_THE_SERVER}
    return {**item, "metadata": own}
