"""kn-lambda send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.option_groups.data import data_option
from kn_lambda.options import session_command
from kn_lambda.terminal.output import echo, printable_line

if TYPE_CHECKING:
    from typing import Any

    from kn_lambda.session import Session
    from knative_lambda.inbound.valid_event import CloudEvent


@session_command("send")
@click.option("--type", "type_", help="Type of the event, such as com.example.order.placed.")
@data_option
@click.option(
    "--event",
    "event_file",
    metavar="FILE|-",
    help="File with one or more whole events in the CloudEvents JSON format: an object, an array,"
    " or an object a line.",
)
@click.option("--id", "id_", help="Id of the event (default: a new one).")
@click.option("--source", help="Source of the event (default: /kn-lambda).")
@click.option("--subject", help="Subject of the event.")
@click.option(
    "--extension",
    "extensions",
    multiple=True,
    metavar="NAME=VALUE",
    help="An extension attribute. May be repeated.",
)
@click.option(
    "--broker", metavar="NAME", help="The Broker in the namespace (default: the tenant's)."
)
def command(
    session: Session, *, broker: str | None, extensions: tuple[str, ...], **options: str | None
) -> None:
    """Send an event to the Broker of the namespace.

    The Broker delivers it to every function that subscribes to it. To call one function, use
    `kn-lambda invoke NAME`.

    \b
    kn-lambda send --type com.example.order.placed --data '{"order": 1001}'
    kn-lambda send --event events.ndjson --source /tests
    """  # noqa: D301 # \b is for click
    from kn_lambda.invoking.input import warn_of_invalid_json  # noqa: PLC0415 # a quick start of --help
    from kn_lambda.invoking.outgoing_events import (  # noqa: PLC0415
        OutgoingEvents,
        parse_extensions,
    )

    events = OutgoingEvents(**options, extensions=parse_extensions(extensions)).make()
    warn_of_invalid_json(options["data"])
    sent = _send_all(session, broker or session.installation.tenant_broker(), events)
    if session.output == "json":
        from kn_lambda.terminal.documents import print_document  # noqa: PLC0415

        print_document(sent[0] if len(sent) == 1 else sent, "json")


def _send_all(session: Session, broker: str, events: list[CloudEvent]) -> list[dict[str, Any]]:
    from kn_lambda.cluster.events import send_to_broker  # noqa: PLC0415
    from kn_lambda.cluster.matches import matched_triggers  # noqa: PLC0415
    from kn_lambda.errors import CommandError  # noqa: PLC0415

    url = session.installation.broker_url(session.namespace, broker)
    sent: list[dict[str, Any]] = []
    for event in events:
        try:
            send_to_broker(session.installation, url, event)
        except CommandError:
            if sent:
                echo(f"The first {len(sent)} of {len(events)} events were sent.", err=True)
            raise
        matched = matched_triggers(session.installation, session.namespace, broker, event)
        sent.append(_document(event, f"{session.namespace}/{broker}", matched))
        if session.output != "json":
            _print(sent[-1])
    return sent


def _document(
    event: CloudEvent, broker: str, matched: list[dict[str, str]] | None
) -> dict[str, Any]:
    document: dict[str, Any] = {
        **{name: event.attributes[name] for name in ("id", "source", "type")},
        "broker": broker,
    }
    return document if matched is None else {**document, "triggers": matched}


def _print(sent: dict[str, Any]) -> None:
    echo(f"accepted: event {sent['id']} of type {sent['type']} by the Broker {sent['broker']}")
    matched = sent.get("triggers")
    if matched == []:
        echo("  No Trigger matches it, so nobody receives it.")
    for trigger in matched or ():
        to = printable_line(trigger.get("subscriber", "a URI"))
        echo(f"  to {to} (Trigger {trigger['name']})")
