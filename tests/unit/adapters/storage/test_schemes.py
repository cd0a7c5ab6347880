from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from knative_lambda.adapters.storage import S3Connection, open_storage
from knative_lambda.adapters.storage.file import FileStorage
from knative_lambda.adapters.storage.s3 import _object_at, _place
from knative_lambda.adapters.storage.schemes import SchemeStorage
from knative_lambda.adapters.storage.uri import shown
from knative_lambda.domain.errors import PermanentError, UnsupportedSourceError
from tests.helpers.fakes import InMemoryObjectStorage

BOTH = open_storage(s3=S3Connection(), file_roots=[Path("/nowhere/at/all")])


def test_each_scheme_has_its_storage_and_is_opened_once():
    opened = []

    def opener():
        opened.append(InMemoryObjectStorage())
        return opened[-1]

    storage = SchemeStorage({"mem": opener, "other": InMemoryObjectStorage})
    uri = "mem://bucket/in/a"
    storage.write(uri, BytesIO(b"x"))
    assert storage.describe(uri).size_bytes == 1
    assert [found.uri for found in storage.list("mem://bucket/in/", limit=1)] == [uri]
    assert storage.read(uri, BytesIO(), max_bytes=1) == 1
    assert storage.download_url(uri, expires_in=timedelta(1))
    storage.delete(uri)
    assert len(opened) == 1


@pytest.mark.parametrize(
    "uri", ["gs://bucket/key", "https://host/x?X-Amz-Signature=abc", "key", ""]
)
def test_an_unknown_scheme_is_refused_with_those_that_are_known(uri):
    with pytest.raises(UnsupportedSourceError, match="takes file://, s3://") as caught:
        BOTH.describe(uri)
    assert "abc" not in str(caught.value)


def test_a_scheme_that_is_not_set_up_is_unknown():
    with pytest.raises(UnsupportedSourceError, match="takes none"):
        open_storage().describe("s3://bucket/key")


@pytest.mark.parametrize(
    "bucket",
    [
        "",
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-a-",
        "a..b",
        "192.168.0.1",
        "a b",
        "user:pw@abc",
    ],
)
def test_a_bucket_that_breaks_the_rules_is_refused(bucket):
    with pytest.raises(UnsupportedSourceError, match="bucket") as caught:
        _object_at(f"s3://{bucket}/key")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("bucket", ["abc", "a" * 63, "my.bucket-1", "1.2.3"])
def test_a_bucket_that_keeps_the_rules_is_taken(bucket):
    assert _object_at(f"s3://{bucket}/a/key").bucket == bucket
    assert _place(f"s3://{bucket}/").key == ""


@given(st.text())
def test_no_text_is_more_than_a_refused_uri(text):
    # Objects of s3:// are only named here: a valid name would be asked for.
    files = FileStorage(roots=[Path("/nowhere/at/all")])
    for operation in (files.describe, lambda uri: list(files.list(uri, limit=1)), BOTH.describe):
        with pytest.raises(PermanentError):
            operation(f"file://{text}")
    for operation in (_object_at, _place):
        with suppress(UnsupportedSourceError):
            assert operation(f"s3://{text}").bucket == text.partition("/")[0]


def test_a_long_uri_is_cut_and_a_query_is_left_out_of_messages():
    assert len(shown("s3://bucket/" + "x" * 5000)) <= 201
    assert shown("s3://bucket/key?X-Amz-Signature=abc") == "s3://bucket/key"
    assert (
        shown("s3://a\x1bb/\udcff") == "s3://a\N{REPLACEMENT CHARACTER}b/\N{REPLACEMENT CHARACTER}"
    )


@pytest.mark.parametrize("secret", ["s3cr3t", SecretStr("s3cr3t")], ids=["str", "SecretStr"])
def test_a_connection_shows_no_keys(secret):
    assert "s3cr3t" not in repr(S3Connection(access_key=secret, secret_key=secret))


@pytest.mark.parametrize(
    "broken",
    [
        {"access_key": "one"},
        {"secret_key": "one"},
        {"endpoint_url": "storage:9000"},
        {"endpoint_url": "ftp://storage"},
        {"endpoint_url": "http://user:pw@storage"},
        {"endpoint_url": "http://"},
    ],
    ids=str,
)
def test_a_connection_that_cannot_work_fails_at_once(broken):
    with pytest.raises(ValueError, match="_") as caught:
        S3Connection(**broken)
    assert "pw" not in str(caught.value)


def test_a_connection_is_named_by_its_host():
    assert S3Connection(endpoint_url="http://storage:9000").name == "storage:9000"
    assert S3Connection().name == "s3"
