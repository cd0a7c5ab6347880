"""kn-lambda describe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from kn_lambda.cluster.records import as_document, mapping, mappings, text
from kn_lambda.completing import completed_by, function_names
from kn_lambda.options import session_command
from kn_lambda.terminal.ages import age
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_fields, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.session import Session
    from kn_lambda.terminal.output import Styled
    from knative_lambda.adapters.kubernetes.client import KubernetesObject


# The name that `deploy` gives to what it uploads; or a commit.
_NAMES_ITS_CONTENT = re.compile(r"/[0-9a-f]{64}\.zip$|@[0-9a-f]{40}(#|$)")


@session_command("describe", outputs=("text", "name", "json", "yaml"))
@click.argument("name", shell_complete=completed_by(function_names))
def command(session: Session, name: str) -> None:
    """Show details of a function."""
    record = session.installation.record(session.function(name))
    if session.output in {"json", "yaml"}:
        print_document(as_document(record), session.output)
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{record['metadata']['name']}")
    else:
        show(record)


def show(record: KubernetesObject) -> None:
    """Print a function for people."""
    status = mapping(record.get("status"))
    print_fields(_main_fields(record, status))
    if build := mapping(status.get("build")):
        echo("\nBuild:")
        print_fields(_build_fields(build), indent=2)
    if conditions := mappings(status.get("conditions")):
        echo("\nConditions:")
        rows = [_condition_cells(condition) for condition in conditions]
        columns = ("type", "status", "age", "reason", "message")
        print_table(columns, rows, prose=("message",), indent=2)
    if build.get("log") and status.get("phase") == "Failed":
        echo("\nLast lines of the log:")
        for line in text(build["log"]).rstrip().split("\n"):
            echo(f"  {line}".rstrip())


def _main_fields(
    record: KubernetesObject, status: dict[str, Any]
) -> Iterator[tuple[str, str | Styled]]:
    metadata, spec = record["metadata"], mapping(record.get("spec"))
    yield "Name", metadata["name"]
    yield "Namespace", metadata["namespace"]
    yield "Age", age(metadata.get("creationTimestamp"))
    yield "Phase", judged(text(status.get("phase")) or "Pending")
    if problem := _problem(record):
        yield "Problem", problem
    yield "URL", text(status.get("url"))
    yield "Runtime", text(spec.get("runtime"))
    yield "Handler", text(spec.get("handler")) or "(default of the runtime)"
    yield "Signature", text(spec.get("signature")) or "cloudevent"
    yield "Source", _source(mapping(spec.get("source")))
    yield "Image", text(status.get("image"))
    yield "Revision", text(status.get("revision"))
    yield "Packages", _packages(mapping(status.get("packages")))
    yield "Scale", _scale(mapping(spec.get("scale")))
    yield "Timeout", f"{seconds}s" if (seconds := text(spec.get("timeoutSeconds"))) else ""
    for subscription in mappings(spec.get("subscriptions")):
        filters = ", ".join(f"{name}={value}" for name, value in sorted(subscription.items()))
        yield "Subscription", filters
    for variable in mappings(spec.get("env")):
        yield "Env", f"{text(variable.get('name'))}={_env_value(variable)}"
    yield "Set by options", _set_fields(record)


def _packages(packages: dict[str, Any]) -> str:
    if not packages:
        return ""
    hashes = ", named by hashes" if packages.get("pinned") else ""
    return f"installed {age(text(packages.get('resolvedAt')))} ago{hashes}"


def _scale(scale: dict[str, Any]) -> str:
    burst = text(scale.get("burstCapacity"))
    return f"{text(scale.get('min')) or 0} to {text(scale.get('max')) or '?'} instances" + (
        f", burst capacity {burst}" if burst else ""
    )


def _set_fields(record: KubernetesObject) -> str:
    """Return the variables and settings that options set; the rest comes with the source."""
    from kn_lambda.deploying.settings import name_of  # noqa: PLC0415 # slow
    from knative_lambda.domain.set_fields import read_set_fields  # noqa: PLC0415
    from knative_lambda.manifests import labels  # noqa: PLC0415

    annotations = mapping(record["metadata"].get("annotations"))
    return ", ".join(map(name_of, read_set_fields(text(annotations.get(labels.SET_FIELDS)))))


def _problem(record: KubernetesObject) -> str | None:
    """Return why the control plane ignores a record, such as one with an invalid field."""
    from knative_lambda.adapters.kubernetes.functions import read_record  # noqa: PLC0415
    from knative_lambda.domain.errors import UnreadableRecordError  # noqa: PLC0415

    try:
        read_record(record)
    except UnreadableRecordError as error:
        return error.message
    return None


def _build_fields(build: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Id", text(build.get("id"))[:12]
    why = "the packages of before are used" if build.get("packagesKey") else "nothing was installed"
    yield "Commit", text(build.get("sourceCommit"))
    yield "Job", text(build.get("job")) or f"none ({why})"
    yield "Digest", text(build.get("digest"))
    yield "Started", _whole_seconds(build.get("startedAt"))
    yield "Finished", _whole_seconds(build.get("finishedAt"))
    yield "Reason", text(build.get("reason"))
    yield "Message", text(build.get("message"))
    yield "Log", text(build.get("logUri"))


def _whole_seconds(time: object) -> str:
    return re.sub(r"\.\d+(?=Z$)", "", text(time))


def _source(source: dict[str, Any]) -> str:
    if "inline" in source:
        return f"inline: {', '.join(sorted(mapping(source['inline'])))}"
    uri = text(source.get("uri"))
    if uri and "sha256" not in source and not _NAMES_ITS_CONTENT.search(uri):
        return f"{uri} (other content there is not noticed)"
    return uri or text(source.get("image"))


def _env_value(variable: dict[str, Any]) -> str:
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if reference := mapping(variable.get(field)):
            return f"<{kind} {text(reference.get('name'))}, key {text(reference.get('key'))}>"
    return text(variable.get("value"))


def _condition_cells(condition: dict[str, Any]) -> list[str | Styled]:
    return [
        text(condition.get("type")),
        judged(text(condition.get("status"))),
        age(text(condition.get("lastTransitionTime"))),
        text(condition.get("reason")),
        " ".join(text(condition.get("message")).split())[:120],
    ]
