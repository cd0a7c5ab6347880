"""kn-lambda invoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kn_lambda.commands.deploy import Duration
from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.options import session_command

if TYPE_CHECKING:
    from kn_lambda.cluster.http import Answer
    from kn_lambda.embedded.broker.event import CloudEvent
    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

# A function may take as long as its own limit, after it has started from zero.
_START_SECONDS = 60.0
_TENANT_BROKER = "default"


@session_command(name="invoke")
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
@click.option("--timeout", type=Duration(), help="How long to wait for the answer.")
def command(session: Session, name: str, timeout: float | None, **asked: Any) -> None:
    """Call a function, and print the data of its reply.

    \b
    kn-lambda invoke hello --data '{"name": "Ada"}'
    kn-lambda invoke hello --event event.json -o json
    """  # noqa: D301 # \b is for click  # fmt: skip
    function = session.function(name)
    record = session.installation.record(function)
    is_http = record["spec"].get("signature") == "http"
    _refuse_nonsense(is_http=is_http, **asked)
    if asked["by_broker"]:
        _publish(session, record, _event(record, **asked))
        return
    from kn_lambda.invoking.reply import print_reply, require_success  # noqa: PLC0415

    limit = timeout or record["spec"].get("timeoutSeconds", 60) + _START_SECONDS
    url = _url(function, record)
    if is_http:
        answer = _request(session, url, limit, **asked)
    else:
        answer = _send_event(session, url, limit, _event(record, **asked))
    require_success(answer, function)
    print_reply(answer, session.output)


def _url(function: FunctionId, record: KubernetesObject) -> str:
    status: dict[str, Any] = record.get("status") or {}
    if status.get("url"):
        url: str = status["url"]
        return url
    raise CommandError(
        f"{function} has no URL: it is {status.get('phase', 'Pending')}",
        way_out=f"See why: kn-lambda describe {function.name} -n {function.namespace}",
    )


def _refuse_nonsense(*, is_http: bool, **asked: Any) -> None:
    if not is_http and (asked["method"] or asked["path"]):
        raise WrongUsageError("--method and --path are for functions of signature http")
    if is_http and (asked["event_file"] or asked["type_"]):
        raise WrongUsageError("--event and --type are for functions of signature cloudevent")


def _event(
    record: KubernetesObject,
    *,
    data: str | None,
    type_: str | None,
    event_file: Path | None,
    **_others: Any,
) -> CloudEvent:
    from kn_lambda.invoking.ready_to_paste import subscribed_type  # noqa: PLC0415 # quick --help
    from kn_lambda.invoking.request import make_event, read_data, read_event  # noqa: PLC0415

    if event_file is not None:
        return read_event(event_file, type_, read_data(data))
    return make_event(type_ or subscribed_type(record), read_data(data))


def _send_event(session: Session, url: str, limit: float, event: CloudEvent) -> Answer:
    from kn_lambda.embedded.broker.http_binding import to_http  # noqa: PLC0415

    headers, body = to_http(event)
    session.debug(f"event {event.attributes['id']} of type {event.attributes['type']} to {url}")
    return session.installation.http.request(
        "POST", url, headers=headers, body=body, timeout_seconds=limit
    )


def _request(
    session: Session,
    url: str,
    limit: float,
    *,
    data: str | None,
    method: str | None,
    path: str | None,
    **_others: Any,
) -> Answer:
    from kn_lambda.invoking.request import content_type, read_data  # noqa: PLC0415

    body = read_data(data)
    whole = url.rstrip("/") + "/" + (path or "").lstrip("/")
    verb = (method or ("GET" if body is None else "POST")).upper()
    session.debug(f"{verb} {whole}")
    return session.installation.http.request(
        verb,
        whole,
        headers={} if body is None else {"Content-Type": content_type(body)},
        body=body,
        timeout_seconds=limit,
    )


def _publish(session: Session, record: KubernetesObject, event: CloudEvent) -> None:
    from kn_lambda.cluster.events import send_to_broker  # noqa: PLC0415
    from kn_lambda.terminal.documents import print_document  # noqa: PLC0415

    namespace = record["metadata"]["namespace"]
    url = session.installation.broker_url(namespace, _TENANT_BROKER)
    send_to_broker(session.installation, url, event)
    identity = event.attributes["id"]
    if session.output == "json":
        print_document({"id": identity, "broker": f"{namespace}/{_TENANT_BROKER}"}, "json")
        return
    type_ = event.attributes["type"]
    click.echo(f"accepted: event {identity} of type {type_} in {namespace}/{_TENANT_BROKER}")
