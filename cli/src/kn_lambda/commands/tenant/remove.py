"""kn-lambda tenant remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, tenants
from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.option_groups.confirming import confirm
from kn_lambda.option_groups.waiting import timeout_option
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.session import Session
    from kn_lambda.tenants.applying import Change

_SHOWN = 5


@session_command("remove")
@click.argument("name", metavar="NAME", shell_complete=completed_by(tenants))
@click.option("--delete-lambdas", is_flag=True, help="Delete its functions first, and wait.")
@click.option("--delete-namespace", is_flag=True, help="Delete the namespace and all in it, too.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@timeout_option("5m")
def command(
    session: Session,
    *,
    name: str,
    delete_lambdas: bool,
    delete_namespace: bool,
    yes: bool,
    timeout: float,
) -> None:
    """Revoke all rights in a tenant, and take away what made it one.

    Its Broker, quota, policies and the rights of the control functions go. The
    namespace stays, with whatever else is in it.
    """
    from kn_lambda.tenants.names import DEFAULT, checked_name  # noqa: PLC0415 # quick --help

    checked_name(name)
    if name == DEFAULT and (session.installation.is_embedded or delete_namespace):
        what = "stays a tenant of the embedded platform"
        if not session.installation.is_embedded:
            what = "is Kubernetes' own and cannot be deleted"
        raise WrongUsageError(
            f"namespace default {what}; nothing was removed",
            hint="To remove its functions: kn-lambda delete NAME...",
        )
    if leftovers := _leftovers(session, name):
        _print(session, name, [], leftovers)
        return
    functions = _functions(session, name)
    if functions and not delete_lambdas:
        shown = ", ".join(functions[:_SHOWN]) + (", ..." if len(functions) > _SHOWN else "")
        raise CommandError(
            f"tenant {name} has {len(functions)} functions ({shown}); nothing was removed",
            hint="To delete them too, add --delete-lambdas.",
        )
    if not yes:
        also = " with all that is in it" if delete_namespace else ""
        what = f"tenant {name}{also}" + (f" and {len(functions)} functions" if functions else "")
        confirm(f"Remove {what}?", what="it")
    changes = list(_remove(session, name, functions, timeout, deletes_namespace=delete_namespace))
    _print(session, name, functions, changes)


def _leftovers(session: Session, name: str) -> list[Change]:
    """Revoke what a namespace has left behind that somebody else deleted."""
    from kn_lambda.tenants.manifests import NAMESPACES  # noqa: PLC0415
    from kn_lambda.tenants.removing import revoke  # noqa: PLC0415

    if session.installation.api.look_up(NAMESPACES, None, name) is not None:
        return []
    return [_shown(session, change) for change in revoke(session.installation, name)]


def _functions(session: Session, name: str) -> list[str]:
    from kn_lambda.tenants.living import living_tenant  # noqa: PLC0415
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415

    living_tenant(session.installation, name)
    records = session.installation.api.list(LAMBDA_FUNCTIONS, name)
    return sorted(str(record["metadata"]["name"]) for record in records)


def _remove(
    session: Session,
    name: str,
    functions: list[str],
    timeout_seconds: float,
    *,
    deletes_namespace: bool,
) -> Iterator[Change]:
    from kn_lambda.commands.delete import delete_functions  # noqa: PLC0415
    from kn_lambda.tenants.removing import (  # noqa: PLC0415
        await_no_lambda,
        delete_namespace,
        remove_manifests,
        revoke,
    )
    from knative_lambda.domain.names import FunctionId  # noqa: PLC0415

    installation = session.installation
    for change in revoke(installation, name):
        yield _shown(session, change)
    if functions:
        identities = [FunctionId(name, function) for function in functions]
        delete_functions(session, identities, timeout_seconds)
        await_no_lambda(installation, name, timeout_seconds)
    for change in remove_manifests(installation, name):
        yield _shown(session, change)
    if deletes_namespace:
        yield _shown(session, delete_namespace(installation, name))


def _print(session: Session, name: str, functions: list[str], changes: list[Change]) -> None:
    if session.output == "json":
        objects = [{"object": each.reference, "outcome": each.outcome} for each in changes]
        print_document({"name": name, "functions": functions, "objects": objects}, "json")


def _shown(session: Session, change: Change) -> Change:
    if session.output == "text":
        echo(f"{change.reference} {change.outcome}")
    return change
