"""kn-lambda invoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.records import is_http, status_of
from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import CommandError
from kn_lambda.option_groups.data import data_option
from kn_lambda.options import Duration, session_command
from kn_lambda.program import command_about
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.invoking.invocation import Invocation
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

# A function that starts from zero may take this long before its own limit counts.
_START_SECONDS = 60.0
# A new Trigger is ready in about a second.
_TRIGGER_SECONDS = 30.0


@session_command("invoke")
@click.argument("name", shell_complete=completed_by(function_names))
@data_option
@click.option(
    "--type", "type_", help="Type of the event (default: the first that NAME subscribes to)."
)
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a whole event in the CloudEvents JSON format, such as event.json.",
)
@click.option(
    "--method", help="HTTP method, for the signature http (default GET, or POST with --data)."
)
@click.option("--path", "path", help="Path and query, for the signature http.")
@click.option(
    "--async",
    "by_broker",
    is_flag=True,
    help="Let the Broker of the namespace deliver the event to NAME alone; do not wait for a"
    " response.",
)
@click.option(
    "--timeout",
    type=Duration(),
    help="How long to wait for the response, or with --async for the Broker.",
)
@click.option(
    "--ingress",
    envvar="KN_LAMBDA_INGRESS_URL",
    metavar="URL",
    help="Address of the ingress, if the host name of the function's URL does not resolve.",
)
def command(
    session: Session,
    *,
    name: str,
    data: str | None,
    type_: str | None,
    event_file: Path | None,
    method: str | None,
    path: str | None,
    by_broker: bool,
    timeout: float | None,
    ingress: str | None,
) -> None:
    """Call a function and print the data of its response.

    \b
    kn-lambda invoke hello --data '{"name": "Ada"}'
    kn-lambda invoke hello --event event.json -o json
    kn-lambda invoke hello --async --data '{"name": "Ada"}'
    """  # noqa: D301 # \b is for click
    from kn_lambda.cluster.http import redacted_url  # noqa: PLC0415
    from kn_lambda.invoking.input import warn_of_invalid_json  # noqa: PLC0415 # a quick start of --help
    from kn_lambda.invoking.invocation import Invocation  # noqa: PLC0415
    from kn_lambda.invoking.response import print_response, require_success  # noqa: PLC0415

    function = session.function(name)
    record = session.installation.record(function)
    invocation = Invocation(
        record=record, data=data, type_=type_, event_file=event_file, method=method, path=path
    )
    invocation.check(is_async=by_broker)
    warn_of_invalid_json(data)
    if by_broker:
        _publish(session, function, invocation, _TRIGGER_SECONDS if timeout is None else timeout)
        return
    limit = timeout or record["spec"].get("timeoutSeconds", 60) + _START_SECONDS
    request = invocation.request(_url(function, record))
    if ingress:
        request = request.through(ingress)
    session.debug(f"{request.method} {redacted_url(request.url)} {request.headers}")
    response = session.installation.http.request(
        request.method,
        request.url,
        headers=request.headers,
        body=request.body,
        timeout_seconds=limit,
    )
    require_success(response, function)
    print_response(response, session.output)


def _url(function: FunctionId, record: KubernetesObject) -> str:
    status = status_of(record)
    if status.get("url"):
        url: str = status["url"]
        return url
    raise CommandError(
        f"{function} has no URL; its phase is {status.get('phase', 'Pending')}",
        hint=f"See why: {command_about(function, 'describe')}",
    )


def _publish(
    session: Session, function: FunctionId, invocation: Invocation, wait_seconds: float
) -> None:
    from kn_lambda.cluster.events import send_to_broker  # noqa: PLC0415
    from kn_lambda.invoking.targeting import (  # noqa: PLC0415
        addressed_to,
        require_target_trigger,
    )
    from kn_lambda.terminal.documents import print_document  # noqa: PLC0415
    from kn_lambda.terminal.progress import Progress  # noqa: PLC0415

    installation, record = session.installation, invocation.record
    if is_http(record):
        Progress().warn(
            f"{function} takes HTTP requests: to the Broker, a response that is neither empty nor a"
            " CloudEvent is a failure, and it sends the event again",
            "Let the function return an empty response or a CloudEvent.",
        )
    _url(function, record)  # what has none could not be called either
    event = addressed_to(function, invocation.event())
    broker = installation.tenant_broker()
    url = installation.broker_url(function.namespace, broker)
    require_target_trigger(
        installation, function, record["metadata"]["uid"], broker=broker, wait_seconds=wait_seconds
    )
    send_to_broker(installation, url, event)
    place, identity = f"{function.namespace}/{broker}", event.attributes["id"]
    if session.output == "json":
        print_document({"id": identity, "broker": place}, "json")
        return
    type_ = event.attributes["type"]
    echo(f"accepted: event {identity} of type {type_} by the Broker {place}, for {function} alone")
