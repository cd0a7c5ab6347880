"""kn-lambda tenant add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, tenants
from kn_lambda.errors import WrongUsageError
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document, print_documents
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.session import Session
    from kn_lambda.tenants.applying import Change
    from kn_lambda.tenants.manifests import Tenant
    from knative_lambda.adapters.kubernetes.client import KubernetesObject


@session_command("add", outputs=("text", "name", "json", "yaml"))
@click.argument("name", metavar="NAME", shell_complete=completed_by(tenants))
@click.option(
    "--edit-group",
    multiple=True,
    metavar="GROUP",
    help="Group that may deploy, change and delete functions (repeatable).",
)
@click.option("--edit-user", multiple=True, metavar="USER", help="User that may (repeatable).")
@click.option(
    "--view-group",
    multiple=True,
    metavar="GROUP",
    help="Group that may look at functions and logs (repeatable).",
)
@click.option("--view-user", multiple=True, metavar="USER", help="User that may (repeatable).")
@click.option(
    "--revoke",
    multiple=True,
    metavar="NAME",
    help="Group or user that may no longer edit or view (repeatable).",
)
@click.option(
    "--quota",
    multiple=True,
    metavar="RESOURCE=QUANTITY,...",
    help="What all functions together may use: cpu=16,memory=32Gi,pods=200.",
)
@click.option(
    "--component",
    "components",
    multiple=True,
    type=click.Choice(("kafka-broker", "pull-secret")),
    help="Component of config/ to include (repeatable; default: those that the installation has).",
)
@click.option("--adopt", is_flag=True, help="Also if NAME is a namespace with other inhabitants.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that others have set.")
@click.option("--dry-run", type=click.Choice(("client", "server")), metavar="client|server",
              help="client: only print, and ask no cluster. server: the cluster checks and "
                   "changes nothing.")  # fmt: skip
def command(
    session: Session,
    *,
    name: str,
    edit_group: tuple[str, ...],
    edit_user: tuple[str, ...],
    view_group: tuple[str, ...],
    view_user: tuple[str, ...],
    revoke: tuple[str, ...],
    quota: tuple[str, ...],
    components: tuple[str, ...],
    adopt: bool,
    force_conflicts: bool,
    dry_run: str | None,
) -> None:
    """Make NAME a tenant: a namespace that holds functions.

    Can be repeated: rights and quotas that no option names stay as they are,
    and the rest becomes as this version has it.

    `-o yaml --dry-run=client` prints the manifests, for a Git repository.
    """
    from kn_lambda.tenants.manifests import tenant_manifests  # noqa: PLC0415 # quick --help
    from kn_lambda.tenants.names import DEFAULT, checked_name, require_adoption  # noqa: PLC0415
    from kn_lambda.tenants.wishes import (  # noqa: PLC0415
        Wishes,
        wished_tenant,
        without_platform,
    )

    _reject_namespace(session, checked_name(name))
    wishes = Wishes.given(
        edit=(edit_group, edit_user),
        view=(view_group, view_user),
        revoke=revoke,
        quota=quota,
        components=components,
    )
    if dry_run == "client":
        if name == DEFAULT and not adopt:
            raise WrongUsageError(
                "namespace default exists in every cluster, and others may use it",
                hint="Use another name, such as team-a; or add --adopt.",
            )
        if not components:
            echo(
                "No cluster was asked. If Brokers are Kafka's, or pulling needs a Secret, add"
                " --component kafka-broker, --component pull-secret.",
                err=True,
            )
        _show_rehearsal(session, tenant_manifests(without_platform(name, wishes)))
        return
    session.installation.settings()  # a tenant of nothing would be of no use
    require_adoption(session.installation, name, is_adopted=adopt)
    tenant = wished_tenant(session.installation, name, wishes)
    changes = _apply(session, tenant, takes_over=force_conflicts, is_rehearsal=dry_run is not None)
    if session.output in {"json", "yaml"}:
        _print(session, [change.item for change in changes if change.outcome != "deleted"])


def _reject_namespace(session: Session, name: str) -> None:
    if session.requested_namespace not in {None, name}:
        raise WrongUsageError(
            f"NAME is {name}, --namespace {session.requested_namespace}",
            hint="A tenant is a namespace: omit --namespace.",
        )


def _apply(
    session: Session, tenant: Tenant, *, takes_over: bool, is_rehearsal: bool
) -> list[Change]:
    from kn_lambda.tenants.applying import (  # noqa: PLC0415
        apply_manifests,
        delete_rights_of_nobody,
    )
    from kn_lambda.tenants.manifests import tenant_manifests  # noqa: PLC0415

    items, changes = tenant_manifests(tenant), []
    installation = session.installation
    for change in apply_manifests(
        installation, items, takes_over=takes_over, is_rehearsal=is_rehearsal
    ):
        _show(session, change, is_rehearsal=is_rehearsal)
        changes.append(change)
    if not is_rehearsal:
        for change in delete_rights_of_nobody(installation, tenant.name, items):
            _show(session, change, is_rehearsal=False)
            changes.append(change)
    return changes


def _show(session: Session, change: Change, *, is_rehearsal: bool) -> None:
    if session.output == "name":
        echo(change.reference)
    elif session.output == "text":
        why = " (not on the embedded platform)" if change.outcome == "skipped" else ""
        mark = " (server dry run)" if is_rehearsal else ""
        echo(f"{change.reference} {change.outcome}{why}{mark}")


def _show_rehearsal(session: Session, items: Sequence[KubernetesObject]) -> None:
    from kn_lambda.tenants.applying import Change  # noqa: PLC0415

    if session.output in {"json", "yaml"}:
        _print(session, items)
        return
    for item in items:
        reference = Change(item=item, outcome="").reference
        echo(reference if session.output == "name" else f"{reference} created (dry run)")


def _print(session: Session, items: Sequence[KubernetesObject]) -> None:
    from kn_lambda.cluster.records import as_document  # noqa: PLC0415

    documents = [as_document(item) for item in items]
    if session.output == "yaml":
        print_documents(documents)
    else:
        print_document({"apiVersion": "v1", "kind": "List", "items": documents}, "json")
