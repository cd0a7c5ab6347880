"""The contract of `ObjectStorage.signed_put`: whoever has it stores that content and no other.

versitygw checks what is signed, as S3 does. moto believes every signature, so it shows only that
the PUT works there.
"""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from knative_lambda.adapters.storage import open_storage
from knative_lambda.domain.errors import SourceNotFoundError, UnsupportedSourceError
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.s3_servers import VERSITYGW, make_bucket, moto_server, versity_gateway

CONTENT = b"x" * 1000
OTHER = b"y" * 1000
SOON = timedelta(minutes=5)


@pytest.fixture(scope="module")
def versitygw(require_server, tmp_path_factory):
    program = require_server(*VERSITYGW)
    with versity_gateway(program, tmp_path_factory.mktemp("versitygw")) as connection:
        yield connection


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as connection:
        yield connection


@pytest.fixture(params=["moto", "versitygw"])
def place(request):
    connection = request.getfixturevalue(request.param)
    return open_storage(s3=connection), f"s3://{make_bucket(connection)}/team-a/hello/x.zip"


@pytest.fixture
def checking(versitygw):
    return open_storage(s3=versitygw), f"s3://{make_bucket(versitygw)}/team-a/hello/x.zip"


def signed(place, content=CONTENT, **options):
    storage, uri = place
    options = {"expires_in": SOON, "size_bytes": len(content)} | options
    return storage.signed_put(uri, sha256=hashlib.sha256(content).hexdigest(), **options)


def send(put, content=CONTENT, url=None, **headers):
    with urllib3.PoolManager(retries=False) as http:
        given = {k: v for k, v in (put.headers | headers).items() if v is not None}
        return http.request("PUT", url or put.url, body=content, headers=given).status


def read(place):
    storage, uri = place
    target = io.BytesIO()
    storage.read(uri, target, max_bytes=10**6)
    return target.getvalue()


def checksum(content):
    return b64encode(hashlib.sha256(content).digest()).decode()


def test_the_content_is_stored_without_credentials(place):
    assert send(signed(place)) == 200
    assert read(place) == CONTENT


def test_length_and_checksum_are_signed(place):
    (names,) = parse_qs(urlsplit(signed(place).url).query)["X-Amz-SignedHeaders"]
    assert set(names.split(";")) == {"content-length", "host", "x-amz-checksum-sha256"}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (OTHER, {}, 400),
        (OTHER, {"x-amz-checksum-sha256": checksum(OTHER)}, 403),
        (CONTENT, {"x-amz-checksum-sha256": None}, 403),
        (CONTENT[:-1], {"Content-Length": "999"}, 403),
        (CONTENT + b"x", {"Content-Length": "1001"}, 403),
        (CONTENT, {"x-amz-acl": "public-read"}, 403),
    ],
    ids=["other bytes", "their checksum", "none", "shorter", "longer", "another header"],
)
def test_nothing_else_is_taken(checking, content, headers, status):
    assert send(signed(checking), content, **headers) == status
    with pytest.raises(SourceNotFoundError):
        read(checking)


def test_it_opens_no_other_key_and_no_other_verb(checking):
    put = signed(checking)
    assert send(put, url=put.url.replace("/team-a/", "/team-b/")) == 403
    with urllib3.PoolManager(retries=False) as http:
        for method in ("GET", "DELETE"):
            assert http.request(method, put.url).status == 403


def test_the_same_content_may_be_sent_again_and_changes_nothing(checking):
    put = signed(checking)
    assert [send(put), send(put), send(put, OTHER)] == [200, 200, 400]
    assert read(checking) == CONTENT


def test_files_cannot_hold_anybody_to_anything(tmp_path):
    storage = open_storage(file_roots=[tmp_path])
    assert signed((storage, f"file://{tmp_path}/x.zip")) is None
    with pytest.raises(UnsupportedSourceError):
        signed((storage, "file:///elsewhere/x.zip"))


def test_the_fake_signs_too():
    put = signed((InMemoryObjectStorage(), "s3://b/x.zip"))
    assert put.headers["Content-Length"] == "1000"
