"""Translate what the Kubernetes client raises, once, into our errors.

Nothing of the client leaks through `translated`; a test holds every class of its errors against it.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.errors import (
    ConflictError,
    KnativeLambdaError,
    PlatformUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_INVALID = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_MESSAGE_LENGTH = 300
_SECONDS = re.compile(r"[0-9]{1,3}", re.ASCII)


class NotFoundError(PlatformUnavailableError):
    """There is no such object, which adapters turn into an answer; or no such kind (yet)."""


class NamespaceNotFoundError(RejectedByPlatformError):
    """The tenant's namespace was never set up."""


class AlreadyExistsError(ConflictError):
    """An object of that name is there already."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors in place of the client's; `what` names the object for a person."""
    # Imported where it is needed: loading the client takes longer than starting the function.
    from kubernetes.client.exceptions import ApiException, OpenApiException  # noqa: PLC0415
    from kubernetes.config import ConfigException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ApiException as error:
        raise _by_status(what, error) from error
    except (
        HTTPError,
        OSError,
        ValueError,
        RecursionError,
        ConfigException,
        OpenApiException,
    ) as error:
        raise PlatformUnavailableError(
            f"the Kubernetes API does not answer about {what} ({type(error).__name__})"
        ) from error


def _by_status(what: str, error: Any) -> KnativeLambdaError:  # noqa: ANN401  # an ApiException
    status = error.status or 0
    message = f"{what}: {_message(error)}"
    if status == HTTPStatus.NOT_FOUND:
        if (_status_object(error).get("details") or {}).get("kind") == "namespaces":
            return NamespaceNotFoundError(message, field="subject")
        return NotFoundError(message)
    if status == HTTPStatus.CONFLICT:
        exists = _status_object(error).get("reason") == "AlreadyExists"
        return AlreadyExistsError(message) if exists else ConflictError(message)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = (error.headers or {}).get("Retry-After", "")
        # A date, or more than an hour, is no answer to a Broker that counts in seconds.
        wait = int(seconds) if _SECONDS.fullmatch(seconds) else 1
        return ThrottledError(message, retry_after=timedelta(seconds=wait))
    if status in _INVALID:
        return RejectedByPlatformError(message)
    # 401 and 403 too: a right that is missing is our set-up's mistake, not the event's.
    return PlatformUnavailableError(message)


def _message(error: Any) -> str:  # noqa: ANN401  # an ApiException
    message = _status_object(error).get("message") or error.reason or "no reason given"
    return f"{error.status} {message}"[:_MESSAGE_LENGTH]


def _status_object(error: Any) -> dict[str, Any]:  # noqa: ANN401  # an ApiException
    try:
        status = json.loads(error.body or "")
    except (ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}
