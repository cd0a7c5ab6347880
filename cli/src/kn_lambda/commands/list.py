"""kn-lambda list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.records import as_document, mapping, text
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_table

if TYPE_CHECKING:
    from kn_lambda.session import Session
    from kn_lambda.terminal.output import Styled
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_COLUMNS = ("name", "phase", "runtime", "url", "age")
_WIDE_COLUMNS = ("reason", "revision", "image")


@session_command("list", outputs=("text", "wide", "name", "json", "yaml"))
@click.option("-A", "--all-namespaces", is_flag=True, help="List functions in all namespaces.")
def command(session: Session, all_namespaces: bool) -> None:
    """List functions."""
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415

    namespace = None if all_namespaces else session.namespace
    items = sorted(
        session.installation.api.list(LAMBDA_FUNCTIONS, namespace),
        key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"]),
    )
    if session.output in {"json", "yaml"}:
        documents = [as_document(item) for item in items]
        print_document({"apiVersion": "v1", "kind": "List", "items": documents}, session.output)
    elif session.output == "name":
        for item in items:
            echo(f"lambdafunction.knative-lambda.dev/{item['metadata']['name']}")
    elif not items:
        where = "any namespace" if all_namespaces else f"namespace {session.namespace}"
        echo(f"No functions found in {where}. To create one: kn-lambda init hello", err=True)
    else:
        show(items, is_wide=session.output == "wide", has_namespace=all_namespaces)


def show(items: list[KubernetesObject], *, is_wide: bool, has_namespace: bool) -> None:
    """Print a table of functions."""
    columns = (
        *(("namespace",) if has_namespace else ()),
        *_COLUMNS,
        *(_WIDE_COLUMNS if is_wide else ()),
    )
    print_table(columns, ([_cells(item)[name] for name in columns] for item in items))


def _cells(item: KubernetesObject) -> dict[str, str | Styled]:
    metadata, spec = item["metadata"], mapping(item.get("spec"))
    status = mapping(item.get("status"))
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "phase": judged(text(status.get("phase")) or "Pending"),
        "runtime": text(spec.get("runtime")),
        "url": text(status.get("url")),
        "age": age(metadata.get("creationTimestamp")),
        "reason": text(mapping(status.get("build")).get("reason")),
        "revision": text(status.get("revision")),
        "image": text(status.get("image")),
    }
