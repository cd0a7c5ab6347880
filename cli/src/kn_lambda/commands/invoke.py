"""kn-lambda invoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.records import status_of
from kn_lambda.errors import CommandError
from kn_lambda.options import Duration, session_command
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.invoking.invocation import Invocation
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

# A function may take as long as its own limit, after it has started from zero.
_START_SECONDS = 60.0
_TENANT_BROKER = "default"


@session_command("invoke")
@click.argument("name")
@click.option("-d", "--data", metavar="TEXT|@FILE|-", help="The event's data; - reads stdin.")
@click.option("--type", "type_", help="The event's type; else the first that NAME subscribes to.")
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A whole event in the CloudEvents JSON format, such as event.json.",
)
@click.option("--method", help="For signature http: GET, or POST with --data.")
@click.option("--path", "path", help="For signature http: /where/to?with=query.")
@click.option("--async", "by_broker", is_flag=True, help="Put the event into the tenant's Broker.")
@click.option("--timeout", type=Duration(), help="How long to wait for the response.")
@click.option(
    "--ingress",
    envvar="KN_LAMBDA_INGRESS_URL",
    metavar="URL",
    help="Send to this address, where the name in the function's URL leads nowhere from here.",
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
    """Call a function, and print the data of its reply.

    \b
    kn-lambda invoke hello --data '{"name": "Ada"}'
    kn-lambda invoke hello --event event.json -o json
    """  # noqa: D301 # \b is for click
    from kn_lambda.cluster.http import redacted_url  # noqa: PLC0415
    from kn_lambda.invoking.invocation import Invocation  # noqa: PLC0415 # a quick start of --help
    from kn_lambda.invoking.response import print_response, require_success  # noqa: PLC0415

    function = session.function(name)
    record = session.installation.record(function)
    invocation = Invocation(
        record=record, data=data, type_=type_, event_file=event_file, method=method, path=path
    )
    invocation.check()
    if mistake := invocation.json_mistake():
        echo(f"--data is no JSON and is sent as text: {mistake}", err=True)
    if by_broker:
        _publish(session, invocation)
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
        f"{function} has no URL: it is {status.get('phase', 'Pending')}",
        hint=f"See why: kn-lambda describe {function.name} -n {function.namespace}",
    )


def _publish(session: Session, invocation: Invocation) -> None:
    from kn_lambda.cluster.events import send_to_broker  # noqa: PLC0415
    from kn_lambda.terminal.documents import print_document  # noqa: PLC0415

    namespace = invocation.record["metadata"]["namespace"]
    url = session.installation.broker_url(namespace, _TENANT_BROKER)
    event = invocation.event()
    send_to_broker(session.installation, url, event)
    identity = event.attributes["id"]
    if session.output == "json":
        print_document({"id": identity, "broker": f"{namespace}/{_TENANT_BROKER}"}, "json")
        return
    type_ = event.attributes["type"]
    echo(f"accepted: event {identity} of type {type_} in {namespace}/{_TENANT_BROKER}")
