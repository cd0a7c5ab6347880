"""The contract of `ObjectStorage.upload_url`: what somebody without credentials can do with it.

versitygw enforces POST policies. moto takes whatever a form says, so it shows only that an upload
works there. Of a PUT whose connection breaks, versitygw keeps the part that arrived: an object
means nothing before the Pod that wrote it has ended with 0.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
import urllib3

from knative_lambda.adapters.storage import CircuitRules, S3Connection, open_storage
from knative_lambda.domain.build import packages_object_key
from knative_lambda.domain.errors import (
    SourceNotFoundError,
    StorageUnavailableError,
    UnsupportedSourceError,
)
from knative_lambda.domain.storage import Upload
from tests.helpers.control_plane import HELLO, ControlPlane
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.s3_servers import (
    VERSITYGW,
    connection_to,
    make_bucket,
    moto_server,
    versity_gateway,
)
from tests.helpers.server_processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.ports import ObjectStorage

LIMIT = 100_000
SOON = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Place:
    storage: ObjectStorage
    folder: str

    def upload(self, key: str = "result", expires_in: timedelta = SOON) -> Upload:
        return self.storage.upload_url(self.folder + key, expires_in=expires_in, max_bytes=LIMIT)

    def read(self, key: str = "result") -> bytes:
        target = BytesIO()
        self.storage.read(self.folder + key, target, max_bytes=10**7)
        return target.getvalue()


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as connection:
        yield connection


@pytest.fixture(scope="module")
def versitygw(require_server, tmp_path_factory):
    program = require_server(*VERSITYGW)
    with versity_gateway(program, tmp_path_factory.mktemp("versitygw")) as connection:
        yield connection


def s3_place(connection: S3Connection) -> Place:
    return Place(storage=open_storage(s3=connection), folder=f"s3://{make_bucket(connection)}/in/")


@pytest.fixture(
    params=[
        ("moto", True),
        ("moto", False),
        ("versitygw", True),
        ("versitygw", False),
    ],
    ids=["moto-post", "moto-put", "versitygw-post", "versitygw-put"],
)
def s3(request):
    name, post_policy = request.param
    return s3_place(replace(request.getfixturevalue(name), post_policy=post_policy))


@pytest.fixture
def bounded(versitygw):
    return s3_place(versitygw)


@pytest.fixture
def unbounded(versitygw):
    return s3_place(replace(versitygw, post_policy=False))


@pytest.fixture
def files(tmp_path):
    return Place(storage=open_storage(file_roots=[tmp_path]), folder=f"file://{tmp_path}/b/")


def send(upload: Upload, content: bytes, **changes: str) -> int:
    """Send it as a build does and return the status; `changes` are of the fields of a form."""
    with urllib3.PoolManager(retries=False) as http:
        if upload.fields is None:
            return http.request("PUT", upload.url, body=content).status
        fields = {**upload.fields, **changes, "file": ("result", content)}
        return http.request("POST", upload.url, fields=fields).status


@contextmanager
def cut_off(upload: Upload, content: bytes) -> Iterator[None]:
    """Send but half of the content, and no more when the context ends."""
    if upload.fields is None:
        method, head, body = "PUT", "", content
    else:
        body, head = urllib3.encode_multipart_formdata(
            {**upload.fields, "file": ("result", content)}
        )
        method = "POST"
    url = urlsplit(upload.url)
    lines = [
        f"{method} {url.path}?{url.query} HTTP/1.1",
        f"Host: {url.netloc}",
        f"Content-Length: {len(body)}",
        *([f"Content-Type: {head}"] if head else []),
    ]
    with socket.create_connection((url.hostname, url.port), 10) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        connection.sendall(body[: len(body) // 2])
        yield
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass  # until the server has given up


@pytest.mark.parametrize("size_bytes", [0, 1, LIMIT])
def test_an_upload_needs_no_credentials_and_is_read_back(s3, size_bytes):
    content = b"x" * size_bytes
    assert send(s3.upload(), content) in {200, 204}
    assert s3.read() == content


def test_an_upload_may_be_repeated_and_the_last_one_counts(s3):
    upload = s3.upload()
    for content in (b"a longer first", b"second"):
        assert send(upload, content) in {200, 204}
    assert s3.read() == b"second"


def test_nothing_is_visible_of_an_upload_while_it_runs(s3):
    with cut_off(s3.upload(), b"x" * LIMIT), pytest.raises(SourceNotFoundError):
        s3.read()


def test_an_upload_that_runs_leaves_the_object_of_before(s3):
    upload = s3.upload()
    send(upload, b"before")
    with cut_off(upload, b"x" * LIMIT):
        assert s3.read() == b"before"


def test_a_form_that_breaks_off_leaves_the_object_of_before(bounded):
    upload = bounded.upload()
    send(upload, b"before")
    with cut_off(upload, b"x" * LIMIT):
        pass
    assert bounded.read() == b"before"


def test_a_form_takes_no_byte_more_than_the_limit(bounded):
    assert send(bounded.upload(), b"x" * (LIMIT + 1)) == 400
    with pytest.raises(SourceNotFoundError):
        bounded.read()


def test_a_server_without_post_policies_takes_more_than_the_limit(unbounded):
    """Which is why somebody has to watch the size there."""
    assert send(unbounded.upload(), b"x" * (LIMIT + 1)) == 200
    assert len(unbounded.read()) == LIMIT + 1


def test_what_a_build_stores_over_the_limit_there_is_removed_and_fails_it(unbounded):
    world = ControlPlane()
    started = world.start().data
    world.jobs.run(started.job)
    key = packages_object_key(HELLO, started.build_id)
    upload, sent = unbounded.upload(key), []
    world.meanwhile = lambda: sent or sent.append(send(upload, b"x" * (LIMIT + 1)))
    follower = replace(
        world.complete_build,
        storage=unbounded.storage,
        storage_url=unbounded.folder,
        packages_max_bytes=LIMIT,
        watches_size=True,
    )
    failed = follower.build_started(world.event(), started)
    assert (sent, failed.data.reason) == ([200], "PackagesTooLarge")
    with pytest.raises(SourceNotFoundError):
        unbounded.read(key)
    assert world.jobs.get(started.job) is None


def test_a_form_is_for_its_own_object_only(bounded):
    upload = bounded.upload()
    assert send(upload, b"x", key="in/other") == 403
    with pytest.raises(SourceNotFoundError):
        bounded.read("other")


def test_a_signed_url_is_for_its_own_object_and_for_writing_only(unbounded):
    upload = unbounded.upload()
    other = Upload(url=upload.url.replace("/result?", "/other?"))
    assert send(other, b"x") == 403
    send(upload, b"x")
    with urllib3.PoolManager(retries=False) as http:
        assert http.request("GET", upload.url).status == 403


@pytest.mark.parametrize("kind", ["bounded", "unbounded"])
def test_an_upload_ends_with_its_time(request, kind):
    place = request.getfixturevalue(kind)
    upload = place.upload(expires_in=timedelta(seconds=1))
    time.sleep(2.1)
    assert send(upload, b"x") == 403
    with pytest.raises(SourceNotFoundError):
        place.read()


@pytest.mark.parametrize("key", ["code.tar", "two words.py", "näme.py", "100%41.py"])
def test_the_url_of_an_upload_names_a_file_where_storage_is_one(files, key):
    upload = files.upload(key)
    assert upload.fields is None
    path = Path(unquote(urlsplit(upload.url).path))
    path.parent.mkdir()
    path.write_bytes(b"content")
    assert files.read(key) == b"content"


def test_a_file_outside_of_the_allowed_folders_gets_no_upload(tmp_path):
    storage = open_storage(file_roots=[tmp_path / "allowed"])
    with pytest.raises(UnsupportedSourceError, match="outside of the allowed folders"):
        storage.upload_url(f"file://{tmp_path}/else", expires_in=SOON, max_bytes=1)


@pytest.mark.parametrize("name", ["", "folder/", "a/../b", "..", "a\nb", "x" * 1025])
@pytest.mark.parametrize("kind", ["fake", "files", "bounded", "unbounded"])
def test_a_uri_that_names_no_object_gets_no_upload(request, kind, name):
    if kind == "fake":
        place = Place(storage=InMemoryObjectStorage(), folder="s3://bucket/")
    else:
        place = request.getfixturevalue(kind)
    with pytest.raises(UnsupportedSourceError):
        place.upload(name)


def test_a_key_that_the_server_would_fill_in_gets_no_form(bounded):
    with pytest.raises(UnsupportedSourceError, match="variable"):
        bounded.upload("a/${filename}")


@pytest.mark.parametrize("expires_in", [timedelta(), timedelta(days=7, seconds=1)])
@pytest.mark.parametrize("post_policy", [True, False])
def test_an_upload_is_valid_for_at_most_seven_days(expires_in, post_policy):
    storage = open_storage(s3=connection_to(1, post_policy=post_policy))
    with pytest.raises(ValueError, match="expires_in"):
        storage.upload_url("s3://bucket/key", expires_in=expires_in, max_bytes=1)


@pytest.mark.parametrize("post_policy", [True, False])
def test_an_upload_is_prepared_without_a_request_even_while_the_server_is_left_alone(post_policy):
    gone = connection_to(free_port(), max_attempts=1, post_policy=post_policy)
    storage = open_storage(s3=gone, circuit=CircuitRules(failures_to_open=1))
    with pytest.raises(StorageUnavailableError):
        storage.describe("s3://bucket/key")
    assert storage.upload_url("s3://bucket/key", expires_in=SOON, max_bytes=1).url


@pytest.mark.parametrize("kind", ["bounded", "unbounded"])
def test_an_upload_contains_no_secret_key(request, kind):
    assert "contract-tests-secret" not in repr(request.getfixturevalue(kind).upload())
