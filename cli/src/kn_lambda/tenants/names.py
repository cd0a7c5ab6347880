"""Which namespaces may be tenants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.tenants.living import is_tenant
from kn_lambda.tenants.manifests import NAMESPACES
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from kn_lambda.cluster.installation import Installation

DEFAULT = "default"
_OF_THE_CLUSTER = re.compile(r"(kube|knative)-.*")


def checked_name(name: str) -> str:
    """Return the name of a tenant; `WrongUsageError` for what can be none."""
    try:
        FunctionId.parse(f"{name}/any")
    except ValueError as error:
        raise WrongUsageError(
            f"invalid tenant {name[:80]!r}: {error}", hint="Use a name such as team-a."
        ) from error
    if _OF_THE_CLUSTER.fullmatch(name):
        raise WrongUsageError(
            f"namespace {name} belongs to the cluster or to Knative and cannot be a tenant",
            hint="Use another name, such as team-a.",
        )
    return name


def require_adoption(installation: Installation, name: str, *, is_adopted: bool) -> None:
    """Refuse a namespace that is there and is no tenant, unless it is adopted on purpose."""
    namespace = installation.api.look_up(NAMESPACES, None, name)
    if namespace is not None and not is_tenant(namespace) and not is_adopted:
        raise CommandError(
            f"namespace {name} exists and is not a tenant; nothing was changed",
            hint="A tenant's namespace takes Pods of Pod Security `restricted` only, and its "
            "policies deny all other traffic: what runs there may stop. To make it one: --adopt.",
        )
