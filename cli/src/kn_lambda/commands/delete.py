"""kn-lambda delete."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import CommandError, TimedOutError, WrongUsageError
from kn_lambda.option_groups.waiting import timeout_option, wait_option
from kn_lambda.options import session_command
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId

_POLL_SECONDS = 0.1
# Names that Kubernetes accepts for a record.
_RECORD_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@session_command("delete", outputs=("text", "name", "json"))
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="NAME...",
    shell_complete=completed_by(function_names),
)
@wait_option("the functions are gone")
@timeout_option("2m")
def command(session: Session, names: tuple[str, ...], wait: bool, timeout: float) -> None:
    """Delete functions and everything that they own.

    Deleting a function that does not exist is not an error.
    """
    functions = [_identity(session, name) for name in names]
    outcomes = delete_functions(session, functions, timeout if wait else 0.0)
    if session.output == "json":
        documents = [
            {"namespace": function.namespace, "name": function.name, "outcome": outcome}
            for function, outcome in zip(functions, outcomes, strict=True)
        ]
        print_document(documents[0] if len(documents) == 1 else documents, "json")
        return
    for function, outcome in zip(functions, outcomes, strict=True):
        text = f"{function} {'did not exist' if outcome == 'absent' else 'is ' + outcome}"
        is_name = session.output == "name"
        echo(f"lambdafunction.knative-lambda.dev/{function.name}" if is_name else text)


def delete_functions(
    session: Session, functions: Sequence[FunctionId], timeout_seconds: float
) -> list[str]:
    """Delete each in turn and return its outcome; without a time, do not wait."""
    with Progress() as progress:
        progress.activity = f"deleting {', '.join(map(str, functions))}"
        return [_delete(session, function, timeout_seconds) for function in functions]


def _identity(session: Session, name: str) -> FunctionId:
    """Return the identity of a function, or of a record whose name is invalid for a function."""
    from knative_lambda.domain.names import FunctionId  # noqa: PLC0415 # quick --help

    try:
        return session.function(name)
    except WrongUsageError:
        stray = FunctionId(session.namespace, name)
        if not _RECORD_NAME.fullmatch(name) or session.installation.find_record(stray) is None:
            raise
        return stray


def _delete_stray(session: Session, function: FunctionId) -> str:
    """Delete a record directly: no event can name it, so it owns nothing."""
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415

    session.installation.api.delete(LAMBDA_FUNCTIONS, function.namespace, function.name)
    return "deleted"


def _delete(session: Session, function: FunctionId, timeout_seconds: float) -> str:
    from kn_lambda.cluster.deliveries import Deliveries  # noqa: PLC0415
    from kn_lambda.cluster.events import new_event, send_to_broker  # noqa: PLC0415 # quick --help
    from knative_lambda.domain.events import BUILD_SUPERSEDED, DELETE  # noqa: PLC0415

    if not function.is_valid:
        return _delete_stray(session, function)
    installation = session.installation
    record = installation.find_record(function)
    # Send it without a record too: a deploy request that is still in flight must not create one.
    event = new_event(DELETE, {}, subject=str(function))
    send_to_broker(installation, installation.control_broker_url(), event)
    session.debug(f"event {event.attributes['id']} to {installation.name}")
    if record is None:
        return "absent"
    deliveries = Deliveries(
        installation, event.attributes["correlationid"], lambda text: echo(text, err=True)
    )
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        now = installation.find_record(function)
        if now is None or now["metadata"]["uid"] != record["metadata"]["uid"]:
            return "deleted"
        rejection = deliveries.poll()
        if rejection is not None:
            raise CommandError(
                f"{function} was not deleted: {rejection}",
                hint="Delete it again, or run `kn-lambda doctor` to check the platform.",
            )
        if BUILD_SUPERSEDED in deliveries.reply_types:
            raise CommandError(
                f"{function} was not deleted: a newer deployment replaced it",
                hint="To delete the newer one, delete it again.",
            )
        time.sleep(_POLL_SECONDS)
    if timeout_seconds:
        raise TimedOutError(
            f"{function} is not deleted after {timeout_seconds:.0f} s; the deletion continues",
            hint=f"See its progress: {command_about(function, 'describe')}",
        )
    return "being deleted"
