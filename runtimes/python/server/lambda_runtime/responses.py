"""HTTP responses and the bodies of errors."""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_runtime.errors import RejectedRequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]

# A Broker keeps the start of a failed response, in base64 and 1024 bytes.
_MAX_ERROR_BYTES = 512
_MAX_MESSAGE_CHARACTERS = 300


class Response(NamedTuple):
    """A whole response."""

    status: int
    headers: Headers
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Send the response."""
        await send(
            {"type": "http.response.start", "status": self.status, "headers": self.headers},
        )
        await send({"type": "http.response.body", "body": self.body})


NO_CONTENT = Response(204, [])


def error_response(status: int, reason: str, message: str, field: str | None = None) -> Response:
    """`{reason, message, field?}` in at most 512 bytes."""
    detail = {"reason": reason, "message": message[:_MAX_MESSAGE_CHARACTERS]}
    if field is not None:
        detail["field"] = field[:40]
    body = json.dumps(detail, ensure_ascii=False).encode("utf-8", "replace")
    while len(body) > _MAX_ERROR_BYTES:
        detail["message"] = detail["message"][:-20]
        body = json.dumps(detail, ensure_ascii=False).encode("utf-8", "replace")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return Response(status, headers, body)


def rejection_response(rejection: RejectedRequestError) -> Response:
    """The response to a request that never reached the handler, or outlived its limit."""
    response = error_response(
        rejection.status, rejection.reason, rejection.message, rejection.field
    )
    if rejection.status == 405:  # noqa: PLR2004 - http.HTTPStatus would be imported for this line
        response.headers.append((b"allow", b"POST"))
    return response


def failure_response(subject: str, error: BaseException) -> Response:
    """500 without details for the caller; the user's own part of the traceback for the log."""
    log_failure(subject, error)
    return error_response(500, "HandlerFailed", "the function raised an error; see its log")


def log_failure(subject: str, error: BaseException) -> None:
    """What went wrong, on stderr: a line, or the user's own part of the traceback."""
    if isinstance(error, RejectedRequestError):
        said = f"{subject}: {error.message}"
    else:
        said = f"{subject} failed:\n{user_traceback(error)}"
    print(said, file=sys.stderr, flush=True)


def user_traceback(error: BaseException) -> str:
    """The traceback without the frames of this package."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__package__") == __package__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip("\n")
