"""What somebody may ask Kubernetes for in their own name, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LAMBDA_FUNCTIONS = "lambdafunctions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """A verb on a resource, as Kubernetes' RBAC names them."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    name: str = ""
    """Of one object; empty for all of the namespace."""

    def __str__(self) -> str:
        """Return it as `kubectl auth can-i` takes it."""
        resource = ".".join(filter(None, (self.resource, self.group)))
        return f"{self.verb} {'/'.join(filter(None, (resource, self.name, self.subresource)))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some records, as Kubernetes has them; `after` is where the next page begins."""

    items: list[dict[str, Any]]
    after: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PodLog:
    """The end of what one Pod of a lambda wrote."""

    pod: str
    text: str
