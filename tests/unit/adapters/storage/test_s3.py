from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from knative_lambda.adapters.storage.s3 import S3Connection, S3Storage

KEYS = {"access_key": "key", "secret_key": "s3cr3t", "region": "eu-central-1"}
MINUTE = timedelta(minutes=1)


def download_url(expires_in=MINUTE, **connection):
    storage = S3Storage(S3Connection(**KEYS | connection))
    return urlsplit(storage.download_url("s3://bucket/a/b", expires_in=expires_in))


@pytest.mark.parametrize(
    ("connection", "host", "path"),
    [
        ({"endpoint_url": "http://store:9000"}, "store:9000", "/bucket/a/b"),
        ({"endpoint_url": "http://store", "path_style": False}, "bucket.store", "/a/b"),
        ({}, "bucket.s3.eu-central-1.amazonaws.com", "/a/b"),
        ({"path_style": True}, "s3.eu-central-1.amazonaws.com", "/bucket/a/b"),
    ],
    ids=["endpoint", "endpoint-host", "aws", "aws-path"],
)
def test_the_bucket_stands_where_the_server_looks_for_it(connection, host, path):
    url = download_url(**connection)
    assert (url.netloc, url.path) == (host, path)


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("us-east-1", "amazonaws.com"),
        ("us-gov-west-1", "us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.amazonaws.com.cn"),
    ],
)
def test_aws_is_found_in_all_of_its_partitions(region, domain):
    assert download_url(region=region).netloc == f"bucket.s3.{domain}"


def test_a_download_url_is_signed_with_version_4_for_its_time():
    query = parse_qs(download_url(timedelta(hours=2)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["7200"]


@pytest.mark.parametrize(
    "expires_in", [timedelta(), -MINUTE, timedelta(days=7, seconds=1)], ids=str
)
def test_a_download_url_for_an_impossible_time_is_refused(expires_in):
    with pytest.raises(ValueError, match="expires_in"):
        download_url(expires_in)
