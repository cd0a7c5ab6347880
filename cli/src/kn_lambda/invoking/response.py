"""What a function answered."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.events import read_refusal
from kn_lambda.errors import CommandError, UnreachableError
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo, echo_bytes
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.http_binding import carries_event, from_http
from knative_lambda.inbound.json_format import is_json, to_json

if TYPE_CHECKING:
    from kn_lambda.cluster.http import Answer
    from knative_lambda.domain.names import FunctionId


def require_success(answer: Answer, function: FunctionId) -> None:
    """Raise what the function, or the platform before it, says of its failure."""
    if answer.is_success:
        return
    refusal = read_refusal(answer)
    flags = "" if function.namespace == "default" else f" -n {function.namespace}"
    way_out = f"More: kn-lambda logs {function.name}{flags}"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and refusal.reason[:3].isdigit():
        raise UnreachableError(f"{function}: {refusal}", way_out="Try again in a moment.")
    raise CommandError(f"{function} answered {answer.status}: {refusal}", way_out=way_out)


def print_reply(answer: Answer, output: str) -> None:
    """Print the data of the reply, or with JSON all of it."""
    if output == "json":
        print_document(_document(answer), "json")
        return
    if not answer.body:
        echo("(no reply)", err=True)
        return
    if is_json(answer.headers.get("content-type", "application/octet-stream")):
        try:
            print_document(json.loads(answer.body), "json")
        except ValueError:
            echo_bytes(answer.body)
        return
    echo_bytes(answer.body)


def _document(answer: Answer) -> dict[str, Any]:
    if carries_event(answer.headers.items()):
        try:
            return to_json(from_http(answer.headers.items(), answer.body))
        except InvalidEventError as error:
            raise CommandError(f"the reply is no valid CloudEvent: {error.message}") from error
    document: dict[str, Any] = {"status": answer.status, "headers": dict(answer.headers)}
    try:
        return {**document, "body": json.loads(answer.body)} if answer.body else document
    except ValueError:
        return {**document, "body": answer.body.decode(errors="replace")}
