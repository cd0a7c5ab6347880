"""The response of a function."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.rejection import read_rejection
from kn_lambda.errors import CommandError, UnreachableError
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo, echo_bytes
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.http_binding import carries_event, from_http
from knative_lambda.inbound.json_format import is_json, to_json
from knative_lambda.inbound.portable_json import loads

if TYPE_CHECKING:
    from kn_lambda.cluster.http import Response
    from knative_lambda.domain.names import FunctionId


def require_success(response: Response, function: FunctionId) -> None:
    """Raise the error in the response of the function, or of the platform in front of it."""
    if response.is_success:
        return
    rejection = read_rejection(response)
    hint = f"See the log: {command_about(function, 'logs')}"
    if response.status == HTTPStatus.SERVICE_UNAVAILABLE and rejection.reason[:3].isdigit():
        raise UnreachableError(f"{function}: {rejection}", hint="Try again later.")
    raise CommandError(f"{function} returned {response.status}: {rejection}", hint=hint)


def print_response(response: Response, output: str) -> None:
    """Print the body of the response; with the output `json`, the whole response."""
    if output == "json":
        print_document(_document(response), "json")
        return
    if not response.body:
        echo("(empty response)", err=True)
        return
    if is_json(response.headers.get("content-type", "application/octet-stream")):
        try:
            print_document(loads(response.body), "json")
        except ValueError:
            echo_bytes(response.body)
        return
    echo_bytes(response.body)


def _document(response: Response) -> dict[str, Any]:
    if carries_event(response.headers.items()):
        try:
            return to_json(from_http(response.headers.items(), response.body))
        except InvalidEventError as error:
            raise CommandError(
                f"the response is not a valid CloudEvent: {error.message}",
                hint="Change what the function returns. Without -o json, you see it as it is.",
            ) from error
    document: dict[str, Any] = {"status": response.status, "headers": dict(response.headers)}
    try:
        return {**document, "body": loads(response.body)} if response.body else document
    except ValueError:
        return {**document, "body": response.body.decode(errors="replace")}
