"""kn-lambda events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import CommandError
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.session import Session
    from kn_lambda.terminal.output import Styled
    from knative_lambda.domain.names import FunctionId

_LARGEST_PAGE = 1000
_EVENT_COLUMNS = ("time", "type", "subject", "trigger", "state", "status")
_DEAD_LETTER_COLUMNS = ("died", "type", "subject", "trigger", "attempts", "status", "reason")
_WIDE_COLUMNS = ("id", "source")


@session_command("events", outputs=("text", "wide", "json", "yaml"))
@click.argument("name", required=False, shell_complete=completed_by(function_names))
@click.option("--dead-letters", is_flag=True, help="Show only events that could not be delivered.")
@click.option(
    "--limit",
    type=click.IntRange(1, _LARGEST_PAGE),
    default=50,
    help="Maximum number of events (default 50).",
)
def command(session: Session, name: str | None, dead_letters: bool, limit: int) -> None:
    """Show events and their deliveries, newest last.

    With NAME, only events that are about the function or were delivered to it. Only the embedded
    platform records events.
    """
    from kn_lambda.cluster.journal import read_journal  # noqa: PLC0415 # a quick start of --help

    installation = session.installation
    if not installation.is_embedded:
        raise CommandError(
            "the Broker of a cluster does not record events",
            hint="For rejected requests: kubectl get events --field-selector"
            " involvedObject.kind=LambdaFunction. For others, see the dead letter sink or the"
            " metrics of the Broker.",
        )
    what = "dead-letters" if dead_letters else "events"
    found = read_journal(installation, what, limit=_LARGEST_PAGE if name else limit)
    if name is not None:
        found = _about(session, session.function(name), found)
    found = found[:limit]
    if session.output in {"json", "yaml"}:
        print_document(found, session.output)
    elif found:
        show(list(reversed(found)), is_dead=dead_letters, is_wide=session.output == "wide")
    else:
        echo("No events found.", err=True)


def show(entries: list[dict[str, Any]], *, is_dead: bool, is_wide: bool) -> None:
    """Print a table of events or of dead letters."""
    columns = _DEAD_LETTER_COLUMNS if is_dead else _EVENT_COLUMNS
    rows = [
        [*row, *(_wide_cells(entry) if is_wide and row[0] else ("",) * (2 * is_wide))]
        for entry in entries
        for row in _rows(entry, is_dead=is_dead)
    ]
    print_table((*columns, *(_WIDE_COLUMNS if is_wide else ())), rows, prose=("reason",))


def _about(
    session: Session, function: FunctionId, entries: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the entries that are about the function, from it, or delivered to it."""
    from knative_lambda.adapters.kubernetes.client import TRIGGERS  # noqa: PLC0415
    from knative_lambda.manifests import labels  # noqa: PLC0415

    own = labels.function_labels(function)
    triggers = {
        (function.namespace, item["metadata"]["name"])
        for item in session.installation.api.list(TRIGGERS, function.namespace, labels=own)
    }
    return [entry for entry in entries if _is_about(entry, str(function), triggers)]


def _is_about(entry: dict[str, Any], function: str, triggers: set[tuple[str, str]]) -> bool:
    attributes = entry.get("attributes") or entry.get("event") or {}
    if function in {attributes.get("subject"), attributes.get("lambdafunction")}:
        return True
    if "trigger" in entry:
        return (entry["namespace"], entry["trigger"]) in triggers
    return any((each["namespace"], each["name"]) in triggers for each in entry["triggers"])


def _rows(entry: dict[str, Any], *, is_dead: bool) -> Iterator[list[str | Styled]]:
    if is_dead:
        yield _dead_letter_cells(entry)
        return
    attributes = entry["attributes"]
    head = [
        _clock_time(entry["acceptedAt"]), attributes["type"], attributes.get("subject", ""),
    ]  # fmt: skip
    deliveries = [*entry["triggers"], *entry.get("deadLetterSinks", ())]
    if not deliveries:
        yield [*head, "-", "dropped" if entry.get("dropped") else "no Trigger", ""]
    for delivery in deliveries:
        state = delivery["state"]
        if delivery["attempts"] > 1:
            state += f" ({delivery['attempts']} attempts)"
        target = delivery["name"] + (" (dead letter sink)" if "sink" in delivery else "")
        yield [*head, target, judged(state), str(delivery["status"] or "")]
        head = ["", "", ""]


def _dead_letter_cells(entry: dict[str, Any]) -> list[str | Styled]:
    from kn_lambda.cluster.journal import read_dead_letter  # noqa: PLC0415

    event = entry["event"]
    return [
        _clock_time(entry["diedAt"]),
        event["type"],
        event.get("subject", ""),
        entry["trigger"],
        str(entry["attempts"]),
        str(entry["status"] or ""),
        " ".join(str(read_dead_letter(entry)).split())[:160],
    ]


def _wide_cells(entry: dict[str, Any]) -> list[str]:
    attributes = entry.get("attributes") or entry.get("event") or {}
    return [str(attributes.get(name, "")) for name in _WIDE_COLUMNS]


def _clock_time(timestamp: str) -> str:
    return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
