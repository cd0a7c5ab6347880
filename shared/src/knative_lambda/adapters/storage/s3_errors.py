"""Translates errors of botocore into ours; no message repeats what the server or botocore wrote."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from knative_lambda.domain.errors import (
    ConflictError,
    KnativeLambdaError,
    RejectedByPlatformError,
    SourceNotFoundError,
    StorageUnavailableError,
    ThrottledError,
)

from .errors import StorageAccessDeniedError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

_THROTTLING: Final = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequests",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
    },
)
_DAMAGED_ON_THE_WAY: Final = frozenset({"RequestTimeout", "IncompleteBody", "BadDigest"})
_CREDENTIALS: Final = frozenset(
    {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AccessDenied"},
)
_DEFAULT_RETRY_AFTER: Final = timedelta(seconds=5)
_MAX_RETRY_AFTER_SECONDS: Final = 3600
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}")


@contextmanager
def s3_errors(subject: str, *, bucket: str) -> Generator[None]:
    """Raise only our own errors about `subject`, which must be safe to show in a message."""
    # Here and not above: botocore is loaded by the first use of S3.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _error_of_response(error.response, subject, bucket) from error
    # Where a redirect names no region, botocore asks for it, is redirected, asks for it, and so on.
    except (BotoCoreError, HTTPError, ResponseParserError, RecursionError) as error:
        raise _error_without_response(error, subject) from error


def _error_of_response(
    response: Mapping[str, Any], subject: str, bucket: str
) -> KnativeLambdaError:
    """Return what the server meant, by its code where there is one, else by its status."""
    metadata = response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    code = response.get("Error", {}).get("Code", "")
    if code == "NoSuchBucket":
        return SourceNotFoundError(f"There is no bucket '{bucket}' in object storage")
    if code in _THROTTLING or status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(
            "Object storage asks to slow down",
            retry_after=_retry_after(metadata.get("HTTPHeaders", {})),
        )
    if code in _CREDENTIALS or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _access_denied(subject, bucket)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _DAMAGED_ON_THE_WAY:
        return StorageUnavailableError(
            f"Object storage failed for {subject} (status {status}); it may work later",
        )
    if status == HTTPStatus.NOT_FOUND:
        return SourceNotFoundError(f"Nothing is stored at {subject}")
    return _rejected(status, code, subject, bucket)


def _rejected(status: int, code: str, subject: str, bucket: str) -> KnativeLambdaError:
    if status == HTTPStatus.CONFLICT:
        return ConflictError(f"Object storage is changing {subject} at the same time")
    if status < HTTPStatus.BAD_REQUEST:
        return RejectedByPlatformError(
            f"Bucket '{bucket}' is in another region than this installation's object storage",
        )
    named = f", {code}" if _CODE.fullmatch(code) else ""
    return RejectedByPlatformError(
        f"Object storage rejects the request for {subject} (status {status}{named})",
    )


def _error_without_response(error: Exception, subject: str) -> KnativeLambdaError:
    """Tell why there was no response."""
    from botocore import exceptions as botocore  # noqa: PLC0415

    if isinstance(
        error,
        (
            botocore.NoCredentialsError,
            botocore.PartialCredentialsError,
            botocore.CredentialRetrievalError,
            botocore.NoAuthTokenError,
            botocore.TokenRetrievalError,
            botocore.ProfileNotFound,
            botocore.SSOError,
        ),
    ):
        return StorageAccessDeniedError(
            "This installation has no credentials for object storage: set access key and secret, "
            "or give the pod a role",
        )
    if isinstance(error, (botocore.ParamValidationError, botocore.InvalidDNSNameError)):
        return RejectedByPlatformError(f"No request can be made for {subject}: check its name")
    return StorageUnavailableError(
        f"Object storage does not respond for {subject} ({type(error).__name__}); "
        "check the endpoint and the network",
    )


def _access_denied(subject: str, bucket: str) -> StorageAccessDeniedError:
    return StorageAccessDeniedError(
        f"Object storage denies this installation access to {subject}: check its credentials and "
        f"its rights on bucket '{bucket}' (a missing object can look like this too)",
    )


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    value = headers.get("retry-after", "")
    if not (value.isascii() and value.isdigit()):
        return _DEFAULT_RETRY_AFTER
    return timedelta(seconds=min(int(value[:9]), _MAX_RETRY_AFTER_SECONDS))
