"""kn-lambda tenant describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, tenants
from kn_lambda.errors import CommandError
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_fields, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.session import Session
    from kn_lambda.tenants.drift import Finding
    from kn_lambda.tenants.living import LivingTenant


@session_command("describe", outputs=("text", "json", "yaml"))
@click.argument("name", metavar="NAME", shell_complete=completed_by(tenants))
def command(session: Session, name: str) -> None:
    """Show one tenant, and check what it has against its manifests.

    The exit code is 1 if something is missing or differs.
    """
    from kn_lambda.cluster.readiness import readiness  # noqa: PLC0415 # quick --help
    from kn_lambda.tenants.drift import find_drift  # noqa: PLC0415
    from kn_lambda.tenants.living import living_tenant  # noqa: PLC0415
    from kn_lambda.tenants.manifests import tenant_manifests  # noqa: PLC0415
    from kn_lambda.tenants.names import checked_name  # noqa: PLC0415
    from kn_lambda.tenants.wishes import tenant_as_it_is  # noqa: PLC0415
    from knative_lambda.adapters.kubernetes.client import BROKERS  # noqa: PLC0415

    installation = session.installation
    living = living_tenant(installation, checked_name(name))
    broker = readiness(installation.api.look_up(BROKERS, name, installation.tenant_broker()))
    wanted = tenant_manifests(tenant_as_it_is(installation, name))
    findings = list(find_drift(installation, wanted))
    if session.output == "text":
        _show(living, broker, findings)
    else:
        drift = [{"object": each.reference, "found": each.found} for each in findings]
        print_document({**living.to_json(), "broker": broker, "drift": drift}, session.output)
    if findings:
        raise CommandError(
            f"tenant {name} is not as its manifests are",
            hint=f"To make it so again: kn-lambda tenant add {name} --force-conflicts",
        )


def _show(living: LivingTenant, broker: str, findings: list[Finding]) -> None:
    print_fields(_fields(living, broker))
    if living.hard:
        echo()
        rows = [
            (resource, living.used.get(resource, "?"), quantity)
            for resource, quantity in living.hard.items()
        ]
        print_table(("quota", "used", "of"), rows)
    echo()
    if findings:
        print_table(
            ("not as its manifests", ""), [(each.reference, each.found) for each in findings]
        )
    else:
        echo("All manifests are there.")


def _fields(living: LivingTenant, broker: str) -> Iterator[tuple[str, str]]:
    yield "Tenant", living.name
    yield "Age", age(living.namespace["metadata"].get("creationTimestamp"))
    counted = (f"{number} {phase}" for phase, number in sorted(living.lambdas.items()))
    yield "Functions", ", ".join(counted) or "none"
    yield "Broker", judged(broker).text
    yield "May edit", ", ".join(map(str, living.editors)) or "nobody by this command"
    yield "May view", ", ".join(map(str, living.viewers)) or "nobody by this command"
