"""Who may edit or view the lambdas of a tenant, as RBAC names people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.cluster.records import mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Subject:
    """A user or a group by name, or a ServiceAccount with its namespace."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """Return `group devs`, `user ada`, `serviceaccount ns/name`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind.lower()} {where}{self.name}"

    def to_json(self) -> dict[str, str]:
        """Return an entry of a RoleBinding's `subjects`."""
        if self.namespace:
            return {"kind": self.kind, "name": self.name, "namespace": self.namespace}
        return {"apiGroup": _RBAC, "kind": self.kind, "name": self.name}


def subjects_of(binding: Mapping[str, object] | None) -> tuple[Subject, ...]:
    """Return the subjects of a RoleBinding; none of one that is not there."""
    return tuple(
        Subject(
            kind=text(each.get("kind")),
            name=text(each.get("name")),
            namespace=text(each.get("namespace")),
        )
        for each in mappings((binding or {}).get("subjects"))
    )


def united(*some: Iterable[Subject]) -> tuple[Subject, ...]:
    """Return all subjects, each once, in the order of their names."""
    return tuple(sorted({subject for each in some for subject in each}))
