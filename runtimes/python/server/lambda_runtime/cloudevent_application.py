"""Functions that take a CloudEvent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lambda_runtime.application import responding
from lambda_runtime.body import read_body
from lambda_runtime.content_encoding import unpacked
from lambda_runtime.errors import InvalidReplyError, RejectedRequestError
from lambda_runtime.events import event_factory, json_or_bytes, read_event, typed_data
from lambda_runtime.invocation import invoker_of
from lambda_runtime.replies import ReplyEncoder
from lambda_runtime.responses import Response, error_response, failure_response

if TYPE_CHECKING:
    from lambda_runtime.responses import Application, Receive, Scope
    from lambda_runtime.settings import Settings
    from lambda_runtime.source import Function


def cloudevent_application(function: Function, settings: Settings) -> Application:
    """Event in; reply event, 204, or an error out."""
    invoke = invoker_of(function.handler, settings)
    make_event = event_factory()
    encode_reply = ReplyEncoder(namespace=settings.namespace, name=settings.name)
    decode = json_or_bytes if function.decorated else typed_data

    async def respond(scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            from lambda_runtime.page import page_response  # noqa: PLC0415 - start time

            if page := page_response(scope, settings):
                return page
            raise RejectedRequestError(405, "MethodNotAllowed", "send events with POST")
        body = await read_body(scope, receive, settings.max_body_bytes)
        body = unpacked(scope["headers"], body, settings.max_body_bytes)
        attributes, data = read_event(scope["headers"], body, decode)
        # The handler may change its event; the reply is to the one that was received.
        event = make_event(dict(attributes), data)
        try:
            result = await invoke(event)
            # An error handler of functions_framework makes the response itself.
            return result if isinstance(result, Response) else encode_reply(attributes, result)
        except RejectedRequestError as rejection:
            print(f"event {attributes['id']!r}: {rejection.message}", file=sys.stderr)
            raise
        except InvalidReplyError as error:
            print(f"event {attributes['id']!r}: {error}", file=sys.stderr)
            return error_response(500, "InvalidReply", str(error))
        except Exception as error:  # noqa: BLE001 - the handler's, and it is logged
            return failure_response(f"event {attributes['id']!r}", error)

    return responding(respond, invoke)
