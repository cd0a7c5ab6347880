"""What callers are told when a real S3 server is gone, slow, broken or set up wrongly."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from knative_lambda.adapters.storage import CircuitRules, CircuitState, open_storage
from knative_lambda.adapters.storage.errors import StorageAccessDeniedError
from knative_lambda.adapters.storage.s3 import S3Storage
from knative_lambda.domain.errors import (
    LimitExceededError,
    RejectedByPlatformError,
    RetryableError,
    SourceNotFoundError,
    StorageUnavailableError,
    ThrottledError,
)
from tests.helpers.s3_servers import (
    VERSITYGW,
    CannedAnswer,
    answering_server,
    connection_to,
    make_bucket,
    moto_server,
    silent_server,
    versity_gateway,
)
from tests.helpers.server_processes import free_port

URI = "s3://bucket/code.zip"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>"


def operations(storage):
    return [
        lambda: storage.describe(URI),
        lambda: list(storage.list("s3://bucket/in/", limit=10)),
        lambda: storage.read(URI, BytesIO(), max_bytes=10**6),
        lambda: storage.write(URI, BytesIO(b"x")),
        lambda: storage.delete(URI),
    ]


@pytest.fixture
def moto(tmp_path):
    with moto_server(tmp_path) as connection:
        yield connection


@pytest.fixture
def versitygw(require_server, tmp_path):
    with versity_gateway(require_server(*VERSITYGW), tmp_path) as connection:
        yield connection


@pytest.fixture(params=["moto", "versitygw"])
def connection(request):
    return request.getfixturevalue(request.param)


def test_a_server_that_is_not_there_is_unavailable():
    for operation in operations(S3Storage(connection_to(free_port(), max_attempts=1))):
        with pytest.raises(StorageUnavailableError, match="EndpointConnectionError"):
            operation()


def test_a_server_that_never_answers_costs_bounded_time():
    with silent_server() as port:
        quick = {"read_timeout": timedelta(seconds=0.2), "max_attempts": 2}
        storage = S3Storage(connection_to(port, **quick))
        for operation in operations(storage):
            started = time.monotonic()
            with pytest.raises(StorageUnavailableError, match="ReadTimeoutError"):
                operation()
            assert time.monotonic() - started < 5


def test_a_server_that_asks_to_slow_down_is_obeyed():
    answer = CannedAnswer(status=503, body=SLOW_DOWN, headers={"Retry-After": "7"})
    with answering_server(answer) as (port, seen):
        storage = S3Storage(connection_to(port, max_attempts=2))
        with pytest.raises(ThrottledError) as caught:
            storage.read(URI, BytesIO(), max_bytes=10)
    assert caught.value.retry_after == timedelta(seconds=7)
    assert len(seen) == 2, "attempts are bounded"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_the_server_is_unavailable(status):
    with answering_server(CannedAnswer(status=status, body=b"<html>oops")) as (port, _):
        for operation in operations(S3Storage(connection_to(port, max_attempts=1))):
            with pytest.raises(StorageUnavailableError):
                operation()


@pytest.mark.parametrize(
    "answer",
    [
        CannedAnswer(status=200, body=b"half", claimed_length=1000),
        CannedAnswer(status=200, body=b"half", claimed_length=1000, stalls=True),
    ],
    ids=["cut", "stalled"],
)
def test_content_that_breaks_off_is_unavailable(answer):
    with answering_server(answer) as (port, _):
        storage = S3Storage(connection_to(port, read_timeout=timedelta(seconds=0.3)))
        with pytest.raises(StorageUnavailableError):
            storage.read(URI, BytesIO(), max_bytes=10**6)


def test_a_size_over_the_limit_is_refused_before_the_content_comes():
    answer = CannedAnswer(status=200, claimed_length=10**12, stalls=True)
    with answering_server(answer) as (port, _):
        started = time.monotonic()
        with pytest.raises(LimitExceededError):
            S3Storage(connection_to(port)).read(URI, BytesIO(), max_bytes=10**6)
        assert time.monotonic() - started < 5


def test_a_server_that_speaks_no_s3_is_unavailable():
    with answering_server(CannedAnswer(status=200, body=b"<html>welcome</html")) as (port, _):
        storage = S3Storage(connection_to(port, max_attempts=1))
        with pytest.raises(StorageUnavailableError):
            list(storage.list("s3://bucket/in/", limit=10))
        with pytest.raises(StorageUnavailableError, match="speak S3"):
            storage.describe(URI)


def test_a_server_in_trouble_is_left_alone_until_it_had_time():
    changes: list[CircuitState] = []
    now = [0.0]
    rules = CircuitRules(
        failures_to_open=2,
        open_for=timedelta(seconds=30),
        monotonic=lambda: now[0],
        on_state_change=lambda _name, _old, new: changes.append(new),
    )
    with answering_server(CannedAnswer(status=500)) as (port, seen):
        storage = open_storage(s3=connection_to(port, max_attempts=1), circuit=rules)
        for _ in range(2):
            with pytest.raises(StorageUnavailableError):
                storage.describe(URI)
        for operation in operations(storage):
            with pytest.raises(ThrottledError):
                operation()
        assert len(seen) == 2
        now[0] = 30.0
        with pytest.raises(StorageUnavailableError):
            storage.describe(URI)
    assert changes == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.OPEN]


def test_storage_works_again_after_its_server_was_down(tmp_path):
    rules = CircuitRules(failures_to_open=1, open_for=timedelta(seconds=0.1))
    with moto_server(tmp_path) as connection:
        storage = open_storage(s3=connection, circuit=rules)
        uri = f"s3://{make_bucket(connection)}/code.zip"
        storage.write(uri, BytesIO(b"x"))
    with pytest.raises(StorageUnavailableError):
        storage.describe(uri)
    with pytest.raises(ThrottledError):
        storage.describe(uri)
    time.sleep(0.1)
    port = int(connection.endpoint_url.rpartition(":")[2])
    with moto_server(tmp_path, port) as again:
        uri = f"s3://{make_bucket(again)}/code.zip"
        storage.write(uri, BytesIO(b"x"))
        assert storage.describe(uri).size_bytes == 1


def test_wrong_credentials_are_retried_and_never_shown(versitygw):
    bucket = make_bucket(versitygw)
    wrong = connection_to(
        int(versitygw.endpoint_url.rpartition(":")[2]),
        access_key="contract-tests",
        secret_key="wrong-and-secret",
    )
    storage = open_storage(s3=wrong, circuit=CircuitRules(failures_to_open=1))
    for _ in range(3):  # an answer, however unwelcome, opens no circuit
        with pytest.raises(StorageAccessDeniedError, match="check its credentials") as caught:
            list(storage.list(f"s3://{bucket}/in/", limit=10))
    assert isinstance(caught.value, RetryableError)
    assert "secret" not in str(caught.value)
    assert "contract-tests" not in str(caught.value)


def test_a_download_url_ends_and_holds_for_its_object_only(versitygw):
    storage = S3Storage(versitygw)
    bucket = make_bucket(versitygw)
    for name in ("one", "two"):
        storage.write(f"s3://{bucket}/{name}", BytesIO(b"x"))
    url = storage.download_url(f"s3://{bucket}/one", expires_in=timedelta(seconds=1))
    with pytest.raises(HTTPError) as caught, urlopen(url.replace("/one?", "/two?")):
        pass
    caught.value.close()
    assert caught.value.code == 403
    time.sleep(2.1)
    with pytest.raises(HTTPError) as caught, urlopen(url):
        pass
    caught.value.close()
    assert caught.value.code == 403


def test_a_list_goes_on_over_pages_and_skips_marks_of_folders(connection):
    bucket = make_bucket(connection)
    storage = S3Storage(connection, page_size=2)
    names = [f"file-{number}" for number in range(7)]
    for name in names:
        storage.write(f"s3://{bucket}/in/{name}", BytesIO(b"x"))
    with closing(connection.client()) as client:
        client.put_object(Bucket=bucket, Key="in/file-3-folder/", Body=b"")
    found = storage.list(f"s3://{bucket}/in/", limit=7)
    assert [stored.uri for stored in found] == [f"s3://{bucket}/in/{name}" for name in names]
    with pytest.raises(LimitExceededError):
        list(storage.list(f"s3://{bucket}/in/", limit=6))


def test_a_list_in_a_missing_bucket_names_it(connection):
    with pytest.raises(SourceNotFoundError, match="no bucket 'not-there'"):
        list(S3Storage(connection).list("s3://not-there/in/", limit=10))


def test_a_server_that_sends_everybody_elsewhere_is_unavailable():
    """A server in front that wants https does so, and botocore asks it where the bucket is."""
    with answering_server(CannedAnswer(status=301)) as (port, seen):
        storage = S3Storage(connection_to(port))
        with pytest.raises(StorageUnavailableError, match="check the endpoint"):
            list(storage.list("s3://bucket/in/", limit=10))
    assert "HEAD /bucket" in seen


def test_a_bucket_of_another_region_is_refused():
    answer = CannedAnswer(status=301, headers={"x-amz-bucket-region": "eu-central-1"})
    with answering_server(answer) as (port, _):
        storage = S3Storage(connection_to(port))
        with pytest.raises(RejectedByPlatformError, match="another region"):
            list(storage.list("s3://bucket/in/", limit=10))


def test_the_identity_of_a_pod_is_enough(moto, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("a-token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/functions")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto.endpoint_url)
    uri = f"s3://{make_bucket(moto)}/one"
    storage = S3Storage(replace(moto, access_key=None, secret_key=None))
    storage.write(uri, BytesIO(b"x"))
    assert storage.describe(uri).size_bytes == 1


def test_boto3_is_loaded_by_the_first_use_only():
    program = (
        "import sys; from knative_lambda.adapters.storage import S3Connection, open_storage; "
        "open_storage(s3=S3Connection()); "
        "assert not {'boto3', 'botocore', 'urllib3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_object_that_another_deletion_takes_first_is_deleted():
    gone = (
        b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist</Message></Error>"
    )
    with answering_server(CannedAnswer(status=404, body=gone)) as (port, seen):
        S3Storage(connection_to(port)).delete(URI)
    assert len(seen) == 1


def test_a_deletion_in_a_missing_bucket_names_it():
    missing = b"<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>"
    with (
        answering_server(CannedAnswer(status=404, body=missing)) as (port, _),
        pytest.raises(SourceNotFoundError, match="no bucket 'bucket'"),
    ):
        S3Storage(connection_to(port)).delete(URI)
