"""kn-lambda tenant list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_table

if TYPE_CHECKING:
    from kn_lambda.session import Session
    from kn_lambda.tenants.living import LivingTenant

_COLUMNS = ("name", "functions", "cpu", "memory", "pods", "may edit", "age")
_WIDE_COLUMNS = ("may view",)


@session_command("list", outputs=("text", "wide", "name", "json", "yaml"))
def command(session: Session) -> None:
    """List tenants, what they use, and who may deploy there."""
    from kn_lambda.tenants.living import all_tenants  # noqa: PLC0415 # quick --help

    if session.requested_namespace is not None:
        raise WrongUsageError(
            "--namespace is for functions; a tenant is a namespace",
            hint=f"See one: kn-lambda tenant describe {session.namespace}",
        )
    tenants = all_tenants(session.installation)
    if session.output in {"json", "yaml"}:
        print_document([tenant.to_json() for tenant in tenants], session.output)
    elif session.output == "name":
        for tenant in tenants:
            echo(f"namespace/{tenant.name}")
    elif not tenants:
        echo("No tenants found. To make one: kn-lambda tenant add team-a", err=True)
    else:
        columns = (*_COLUMNS, *(_WIDE_COLUMNS if session.output == "wide" else ()))
        print_table(columns, ([_cells(tenant)[name] for name in columns] for tenant in tenants))


def _cells(tenant: LivingTenant) -> dict[str, str]:
    return {
        "name": tenant.name,
        "functions": str(sum(tenant.lambdas.values())),
        "cpu": _use(tenant, "requests.cpu"),
        "memory": _use(tenant, "requests.memory"),
        "pods": _use(tenant, "pods"),
        "may edit": ", ".join(map(str, tenant.editors)),
        "age": age(tenant.namespace["metadata"].get("creationTimestamp")),
        "may view": ", ".join(map(str, tenant.viewers)),
    }


def _use(tenant: LivingTenant, resource: str) -> str:
    hard = tenant.hard.get(resource)
    return f"{tenant.used.get(resource) or '?'} of {hard}" if hard else ""
