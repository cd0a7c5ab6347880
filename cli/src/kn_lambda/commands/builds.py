"""kn-lambda builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.cluster.builds import Build
    from kn_lambda.session import Session
    from kn_lambda.terminal.output import Styled
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_COLUMNS = ("name", "build", "state", "place", "age")


@session_command("builds", outputs=("text", "name", "json", "yaml"))
@click.argument("name", required=False, shell_complete=completed_by(function_names))
@click.option("-A", "--all-namespaces", is_flag=True, help="List builds in all namespaces.")
def command(session: Session, name: str | None, all_namespaces: bool) -> None:
    """List builds that wait or run.

    Builds beyond the limits of the platform wait for others to end. To end one: kn-lambda cancel.
    """
    from kn_lambda.cluster.builds import build_under_way  # noqa: PLC0415 # a quick --help

    found = [build_under_way(record) for record in _records(session, name, all_namespaces)]
    builds = sorted((each for each in found if each is not None), key=_order)
    if session.output in {"json", "yaml"}:
        print_document([each.to_json() for each in builds], session.output)
    elif session.output == "name":
        for each in builds:
            echo(f"lambdafunction.knative-lambda.dev/{each.name}")
    elif not builds:
        echo("No build waits or runs.", err=True)
    else:
        columns = (*(("namespace",) if all_namespaces else ()), *_COLUMNS)
        print_table(columns, ([_cells(each)[column] for column in columns] for each in builds))


def _records(
    session: Session, name: str | None, all_namespaces: bool
) -> Iterator[KubernetesObject]:
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415

    if name is not None:
        yield session.installation.record(session.function(name))
        return
    namespace = None if all_namespaces else session.namespace
    yield from session.installation.api.list(LAMBDA_FUNCTIONS, namespace)


def _order(build: Build) -> tuple[bool, str, str, str]:
    """Those that run come first, then the oldest."""
    return build.is_waiting, build.since, build.namespace, build.name


def _cells(build: Build) -> dict[str, str | Styled]:
    return {
        "namespace": build.namespace,
        "name": build.name,
        "build": build.build_id[:12],
        "state": judged(build.state),
        "place": build.place.partition(" waiting")[0],
        "age": age(build.since),
    }
