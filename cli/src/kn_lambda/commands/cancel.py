"""kn-lambda cancel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import CommandError, TimedOutError
from kn_lambda.option_groups.waiting import timeout_option, wait_option
from kn_lambda.options import session_command
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from kn_lambda.cluster.builds import Build
    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId

_POLL_SECONDS = 0.1


@session_command("cancel", outputs=("text", "name", "json"))
@click.argument("name", shell_complete=completed_by(function_names))
@wait_option("the build has ended")
@timeout_option("1m")
def command(session: Session, *, name: str, wait: bool, timeout: float) -> None:
    """End the build of a function, whether it waits or runs.

    The revision from before continues to serve. If there is no build, that is not an error.
    """
    from kn_lambda.cluster.builds import build_under_way  # noqa: PLC0415 # a quick --help

    function = session.function(name)
    build = build_under_way(session.installation.record(function))
    outcome = "absent"
    if build is not None:
        with Progress() as progress:
            progress.activity = f"cancelling the build of {function}"
            outcome = _cancel(session, function, build, timeout if wait else 0.0)
    _report(session, function, outcome)


def _cancel(session: Session, function: FunctionId, build: Build, timeout_seconds: float) -> str:
    from kn_lambda.cluster.builds import build_under_way  # noqa: PLC0415
    from kn_lambda.cluster.deliveries import Deliveries  # noqa: PLC0415
    from kn_lambda.cluster.events import new_event, send_to_broker  # noqa: PLC0415
    from kn_lambda.cluster.records import build_of  # noqa: PLC0415
    from knative_lambda.domain.events import BUILD_CANCEL  # noqa: PLC0415

    installation = session.installation
    data = {"requestId": build.request_id}
    event = new_event(BUILD_CANCEL, data, subject=str(function))
    send_to_broker(installation, installation.control_broker_url(), event)
    session.debug(f"event {event.attributes['id']} to {installation.name}")
    deliveries = Deliveries(
        installation, event.attributes["correlationid"], lambda text: echo(text, err=True)
    )
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        record = installation.find_record(function)
        now = None if record is None else build_under_way(record)
        if now is None or now.request_id != build.request_id:
            is_ours = build_of(record).get("wishId") == build.request_id
            was_cancelled = is_ours and build_of(record).get("reason") == "Cancelled"
            return "cancelled" if was_cancelled else "ended"
        rejection = deliveries.poll()
        if rejection is not None:
            raise CommandError(
                f"the build of {function} was not cancelled: {rejection}",
                hint="Run `kn-lambda doctor` to check the platform.",
            )
        time.sleep(_POLL_SECONDS)
    if timeout_seconds:
        raise TimedOutError(
            f"the build of {function} has not ended after {timeout_seconds:.0f} s",
            hint=f"See its progress: {command_about(function, 'describe')}",
        )
    return "accepted"


_TEXTS = {
    "absent": "no build of {} waits or runs; nothing was sent",
    "cancelled": "the build of {} is cancelled",
    "ended": "the build of {} had ended before it could be cancelled",
    "accepted": "the build of {} is being cancelled",
}


def _report(session: Session, function: FunctionId, outcome: str) -> None:
    if session.output == "json":
        document = {"namespace": function.namespace, "name": function.name, "outcome": outcome}
        print_document(document, "json")
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{function.name}")
    else:
        echo(_TEXTS[outcome].format(function))
