"""Errors as RFC 9457 has them: `application/problem+json`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from knative_lambda.domain.errors import (
    ExpiredError,
    ForbiddenError,
    InvalidRequestError,
    KnativeLambdaError,
    LimitExceededError,
    NothingThereError,
    PermanentError,
    RejectedByPlatformError,
    RequestTooLargeError,
    RetryableError,
    ThrottledError,
    UnauthenticatedError,
)

MEDIA_TYPE = "application/problem+json"
TYPES = "https://knative-lambda.dev/problems/"
_LONGEST_DETAIL = 1000

STATUS_BY_ERROR: dict[type[Exception], HTTPStatus] = {
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NothingThereError: HTTPStatus.NOT_FOUND,
    ExpiredError: HTTPStatus.GONE,
    RequestTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidRequestError: HTTPStatus.BAD_REQUEST,
    RejectedByPlatformError: HTTPStatus.BAD_REQUEST,
    LimitExceededError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PermanentError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ThrottledError: HTTPStatus.TOO_MANY_REQUESTS,
    RetryableError: HTTPStatus.SERVICE_UNAVAILABLE,
    Exception: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error is that of the nearest class that it inherits from."""

_CHALLENGE = 'Bearer realm="knative-lambda"'


class RequestError(Exception):
    """A request that no operation takes, such as one for another path."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def status_of(error: Exception) -> HTTPStatus:
    """Return the status that an error of ours, or a bug, is responded to with."""
    if isinstance(error, RequestError):
        return error.status
    return next(STATUS_BY_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_BY_ERROR)


def problem(error: Exception) -> Response:
    """Return the response to an error; of a bug it says nothing that the error says."""
    status, headers = status_of(error), {"Cache-Control": "no-store"}
    field: str | None = None
    if isinstance(error, RequestError):
        reason, detail = status.phrase.title().replace(" ", "").replace("-", ""), error.detail
        headers |= error.headers
    elif isinstance(error, KnativeLambdaError):
        reason, detail, field = error.reason, error.message, error.field
    else:
        reason, detail = "InternalError", "a bug in Knative Lambda; the log has the traceback"
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(max(1, round(error.retry_after.total_seconds())))
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750: a token that is not taken is told from one that is missing.
        is_rejected = isinstance(error, UnauthenticatedError)
        headers["WWW-Authenticate"] = _CHALLENGE + (', error="invalid_token"' * is_rejected)
    body: dict[str, Any] = {
        "type": TYPES + reason,
        "title": status.phrase,
        "status": int(status),
        "detail": detail[:_LONGEST_DETAIL],
    }
    if field is not None:
        body["field"] = field
    return Response(json.dumps(body), status_code=status, headers=headers, media_type=MEDIA_TYPE)
