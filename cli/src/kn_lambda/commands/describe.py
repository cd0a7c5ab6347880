"""kn-lambda describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import format_fields, format_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject


@session_command("describe", outputs=("text", "name", "json", "yaml"))
@click.argument("name")
def command(session: Session, name: str) -> None:
    """Show all that is known of a function."""
    record = session.installation.record(session.function(name))
    if session.output in {"json", "yaml"}:
        print_document(record, session.output)
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{record['metadata']['name']}")
    else:
        echo("\n\n".join(_sections(record)))


def _sections(record: KubernetesObject) -> Iterator[str]:
    status: dict[str, Any] = record.get("status") or {}
    yield format_fields(_main_fields(record, status))
    build = status.get("build") or {}
    if build:
        yield "Build:\n" + _indented(format_fields(_build_fields(build)))
    conditions = status.get("conditions") or []
    if conditions:
        rows = [_condition_cells(condition) for condition in conditions]
        table = format_table(("type", "status", "age", "reason", "message"), rows)
        yield "Conditions:\n" + _indented(table)
    if build.get("log") and status.get("phase") == "Failed":
        yield "Last lines of the log:\n" + _indented(build["log"].rstrip())


def _main_fields(record: KubernetesObject, status: dict[str, Any]) -> Iterator[tuple[str, str]]:
    metadata, spec = record["metadata"], record["spec"]
    scale = spec.get("scale") or {}
    yield "Name", metadata["name"]
    yield "Namespace", metadata["namespace"]
    yield "Age", age(metadata.get("creationTimestamp"))
    yield "Phase", status.get("phase") or "Pending"
    yield "URL", status.get("url") or ""
    yield "Runtime", spec.get("runtime") or ""
    yield "Handler", spec.get("handler") or "(the runtime's own)"
    yield "Signature", spec.get("signature") or "cloudevent"
    yield "Source", _source(spec.get("source") or {})
    yield "Image", status.get("image") or ""
    yield "Revision", status.get("revision") or ""
    yield "Scale", f"{scale.get('min', 0)} to {scale.get('max', '?')} instances"
    yield "Timeout", f"{spec['timeoutSeconds']}s" if "timeoutSeconds" in spec else ""
    for subscription in spec.get("subscriptions") or ():
        filters = ", ".join(f"{name}={value}" for name, value in sorted(subscription.items()))
        yield "Subscription", filters
    for variable in spec.get("env") or ():
        yield "Env", f"{variable['name']}={_env_value(variable)}"


def _build_fields(build: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Id", str(build.get("id", ""))[:12]
    yield "Job", build.get("job") or "none (the image was there)"
    yield "Digest", build.get("digest") or ""
    yield "Started", build.get("startedAt") or ""
    yield "Finished", build.get("finishedAt") or ""
    yield "Reason", build.get("reason") or ""
    yield "Message", build.get("message") or ""
    yield "Log", build.get("logUri") or ""


def _source(source: dict[str, Any]) -> str:
    if "inline" in source:
        return f"inline: {', '.join(sorted(source['inline']))}"
    return str(source.get("uri") or source.get("image") or "")


def _env_value(variable: dict[str, Any]) -> str:
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if variable.get(field):
            return f"<{kind} {variable[field]['name']}, key {variable[field]['key']}>"
    return str(variable.get("value", ""))


def _condition_cells(condition: dict[str, str]) -> list[str]:
    return [
        condition["type"],
        condition["status"],
        age(condition.get("lastTransitionTime")),
        condition.get("reason") or "",
        " ".join((condition.get("message") or "").split())[:120],
    ]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))
