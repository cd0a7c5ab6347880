"""Translates the responses of a Kubernetes API, and what urllib3 raises, into our errors."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from knative_lambda.domain.errors import (
    ConflictError,
    ExpiredError,
    ForbiddenError,
    KnativeLambdaError,
    PlatformUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
    UnauthenticatedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

_INVALID = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
# What the API server says of an object that it would take, and etcd does not, with status 500.
_TOO_LARGE = re.compile("request is too large|trying to send message larger than max")
_EXCEEDED = re.compile(r"exceeded quota: ([^\s,]+), (.*)")
# A control function tries again: a right that is missing is our set-up's mistake, not the event's.
_RETRIED: dict[int, type[PlatformUnavailableError]] = {
    HTTPStatus.UNAUTHORIZED: UnauthenticatedError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.GONE: ExpiredError,
}
_MESSAGE_LENGTH = 300
_SECONDS = re.compile(r"[0-9]{1,3}", re.ASCII)


class NotFoundError(PlatformUnavailableError):
    """The object, or its kind, does not exist (yet)."""


class NamespaceNotFoundError(RejectedByPlatformError):
    """The tenant's namespace was never set up."""


class AlreadyExistsError(ConflictError):
    """An object of that name is there already."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors in place of what a connection, or the reader of a response, raises."""
    try:
        yield
    except (HTTPError, OSError, ValueError, RecursionError) as error:
        raise PlatformUnavailableError(
            f"the Kubernetes API gave no usable response about {what} ({cause_in_words(error)})"
        ) from error


def cause_in_words(error: Exception) -> str:
    """Return what the operating system says of an error, such as `Connection refused`.

    Otherwise its kind alone: the text of other errors may quote addresses and secrets.
    """
    cause = error if isinstance(error, OSError) else error.__cause__
    said = cause.strerror if isinstance(cause, OSError) else None
    return said or type(error).__name__


def error_of(what: str, response: BaseHTTPResponse) -> KnativeLambdaError:
    """Return the error that a response's status means; `what` names the object for a person."""
    body = _status_object(response)
    message = f"{what}: {_message(response, body)}"
    if response.status == HTTPStatus.NOT_FOUND:
        if (body.get("details") or {}).get("kind") == "namespaces":
            return NamespaceNotFoundError(message, field="subject")
        return NotFoundError(message)
    if response.status == HTTPStatus.CONFLICT:
        exists = body.get("reason") == "AlreadyExists"
        return AlreadyExistsError(message) if exists else ConflictError(message)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = response.headers.get("Retry-After", "")
        # A date, or more than an hour, is of no use to a Broker that counts in seconds.
        wait = int(seconds) if _SECONDS.fullmatch(seconds) else 1
        return ThrottledError(message, retry_after=timedelta(seconds=wait))
    exceeded = _exceeded_quota(response, body)
    if exceeded or response.status in _INVALID or _is_too_large(response, body):
        return RejectedByPlatformError(f"{what}: {exceeded}" if exceeded else message)
    return _RETRIED.get(response.status, PlatformUnavailableError)(message)


def object_of(path: str) -> str:
    """Name the object of a path for a person: `<namespace>/<kind>/<name>`."""
    return path.partition("namespaces/")[2] or path


def _is_too_large(response: BaseHTTPResponse, body: dict[str, Any]) -> bool:
    said = _TOO_LARGE.search(str(body.get("message")))
    return response.status == HTTPStatus.INTERNAL_SERVER_ERROR and said is not None


def _exceeded_quota(response: BaseHTTPResponse, body: dict[str, Any]) -> str | None:
    """Return which quota keeps the tenant from getting more, until somebody raises or frees it.

    A quota that was not counted yet is another matter, and so is one of Jobs: builds end.
    """
    found = _EXCEEDED.search(str(body.get("message")))
    is_of_jobs = (body.get("details") or {}).get("kind") == "jobs"
    if response.status != HTTPStatus.FORBIDDEN or found is None or is_of_jobs:
        return None
    return f"the ResourceQuota {found[1]} is used up ({found[2]})"[:_MESSAGE_LENGTH]


def _message(response: BaseHTTPResponse, body: dict[str, Any]) -> str:
    message = body.get("message") or response.reason or "no reason given"
    return f"{response.status} {message}"[:_MESSAGE_LENGTH]


def _status_object(response: BaseHTTPResponse) -> dict[str, Any]:
    try:
        status = json.loads(response.data)
    except (ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}
