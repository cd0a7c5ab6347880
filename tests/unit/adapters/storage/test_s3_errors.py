from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from knative_lambda.adapters.storage.errors import StorageAccessDeniedError
from knative_lambda.adapters.storage.s3_errors import s3_errors
from knative_lambda.domain.errors import (
    ConflictError,
    KnativeLambdaError,
    RejectedByPlatformError,
    SourceNotFoundError,
    StorageUnavailableError,
    ThrottledError,
)

SECRET = "X-Amz-Signature=abc"


def translated(error):
    with pytest.raises(KnativeLambdaError) as caught, s3_errors("s3://b/k", bucket="b"):
        raise error
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is error
    return caught.value


def answer(status, code="", **headers):
    response = {
        "Error": {"Code": code, "Message": SECRET},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return botocore.ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (301, "PermanentRedirect", RejectedByPlatformError),
        (400, "InvalidArgument", RejectedByPlatformError),
        (400, "ExpiredToken", StorageAccessDeniedError),
        (400, "RequestTimeout", StorageUnavailableError),
        (401, "", StorageAccessDeniedError),
        (403, "AccessDenied", StorageAccessDeniedError),
        (403, "SignatureDoesNotMatch", StorageAccessDeniedError),
        (403, "403", StorageAccessDeniedError),
        (404, "NoSuchKey", SourceNotFoundError),
        (404, "NoSuchBucket", SourceNotFoundError),
        (404, "404", SourceNotFoundError),
        (405, "MethodNotAllowed", RejectedByPlatformError),
        (409, "OperationAborted", ConflictError),
        (429, "", ThrottledError),
        (500, "InternalError", StorageUnavailableError),
        (503, "SlowDown", ThrottledError),
        (503, "503", StorageUnavailableError),
        (400, "RequestLimitExceeded", ThrottledError),
        (0, "", RejectedByPlatformError),
    ],
)
def test_an_answer_becomes_one_of_our_errors(status, code, expected):
    assert type(translated(answer(status, code))) is expected


def test_a_code_is_shown_only_where_it_is_a_word():
    assert "InvalidArgument" in str(translated(answer(400, "InvalidArgument")))
    assert "<script>" not in str(translated(answer(400, "<script>")))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("", 5), ("soon", 5), ("9" * 5000, 3600), ("-1", 5), ("\N{SUPERSCRIPT TWO}", 5)],
    ids=["number", "none", "word", "huge", "negative", "no-digit"],
)
def test_the_servers_request_to_wait_is_kept_within_bounds(value, seconds):
    error = translated(answer(503, "SlowDown", **{"retry-after": value}))
    assert error.retry_after == timedelta(seconds=seconds)


BOTOCORE_ERRORS = [
    kind
    for kind in vars(botocore).values()
    if inspect.isclass(kind) and issubclass(kind, botocore.BotoCoreError)
]


@pytest.mark.parametrize("kind", BOTOCORE_ERRORS)
def test_every_error_of_botocore_becomes_one_of_ours(kind):
    error = kind.__new__(kind)
    Exception.__init__(error, f"http://host/k?{SECRET}")
    translated(error)


@pytest.mark.parametrize("kind", [HTTPError, ResponseParserError, RecursionError])
def test_errors_around_botocores_own_become_unavailable(kind):
    assert type(translated(kind(SECRET))) is StorageUnavailableError


def test_missing_credentials_say_what_to_set():
    assert "set access key and secret" in str(translated(botocore.NoCredentialsError()))


def test_errors_of_the_caller_pass():
    with pytest.raises(ZeroDivisionError), s3_errors("s3://b/k", bucket="b"):
        raise ZeroDivisionError
