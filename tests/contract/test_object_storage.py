"""The contract of the port ObjectStorage: the fake, folders and two unrelated S3 servers."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knative_lambda.adapters.storage import open_storage
from knative_lambda.domain.errors import (
    LimitExceededError,
    PermanentError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.s3_servers import VERSITYGW, make_bucket, moto_server, versity_gateway

if TYPE_CHECKING:
    from knative_lambda.ports import ObjectStorage

UNUSUAL_KEYS = ["two words.py", "näme.py", "100%41.py", "a+b.py", "a?b=c#d.py", "'q\"&<>.py"]
LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class Place:
    storage: ObjectStorage
    folder: str

    def write(self, name: str, content: bytes = b"x") -> str:
        self.storage.write(self.folder + name, BytesIO(content))
        return self.folder + name

    def read(self, uri: str, max_bytes: int = 10**7) -> bytes:
        target = BytesIO()
        size_bytes = self.storage.read(uri, target, max_bytes=max_bytes)
        assert size_bytes == len(target.getvalue())
        return target.getvalue()

    def names(self, prefix: str = "", limit: int = LIMIT) -> list[str]:
        found = self.storage.list(self.folder + prefix, limit=limit)
        return [stored.uri.removeprefix(self.folder) for stored in found]


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as connection:
        yield connection


@pytest.fixture(scope="module")
def versitygw(require_server, tmp_path_factory):
    with versity_gateway(
        require_server(*VERSITYGW), tmp_path_factory.mktemp("versitygw")
    ) as connection:
        yield connection


def s3_place(connection):
    return Place(storage=open_storage(s3=connection), folder=f"s3://{make_bucket(connection)}/in/")


@pytest.fixture(params=["file", "moto", "versitygw"])
def real_place(request, tmp_path):
    if request.param == "file":
        return Place(storage=open_storage(file_roots=[tmp_path]), folder=f"file://{tmp_path}/b/in/")
    return s3_place(request.getfixturevalue(request.param))


@pytest.fixture(params=["fake", "file", "moto", "versitygw"])
def place(request, tmp_path):
    if request.param == "fake":
        return Place(storage=InMemoryObjectStorage(), folder="s3://bucket/in/")
    if request.param == "file":
        return Place(storage=open_storage(file_roots=[tmp_path]), folder=f"file://{tmp_path}/b/in/")
    return s3_place(request.getfixturevalue(request.param))


@pytest.mark.parametrize("size_bytes", [0, 1, 600_001])
def test_what_was_written_is_read_back(place, size_bytes):
    content = bytes(range(251)) * (size_bytes // 251 + 1)
    uri = place.write("deep/below/code.zip", content[:size_bytes])
    assert place.read(uri) == content[:size_bytes]


def test_a_second_write_replaces_the_first(place):
    place.write("code.zip", b"a longer first version")
    assert place.read(place.write("code.zip", b"second")) == b"second"


def test_a_description_holds_size_and_time(place):
    stored = place.storage.describe(place.write("code.zip", b"12345"))
    assert stored.uri == place.folder + "code.zip"
    assert stored.size_bytes == 5
    assert abs(datetime.now(UTC) - stored.modified_at) < timedelta(minutes=1)


def test_a_missing_object_is_not_found(place):
    place.write("other.zip")
    uri = place.folder + "missing.zip"
    with pytest.raises(SourceNotFoundError, match=r"in/missing\.zip"):
        place.storage.describe(uri)
    with pytest.raises(SourceNotFoundError, match=r"in/missing\.zip"):
        place.read(uri)


def test_a_missing_bucket_is_not_found_and_named(place):
    uri = place.folder.removesuffix("b/in/").removesuffix("/in/") + "-none/code.zip"
    uri = uri.replace("/-none/", "/none/")
    for operation in (place.storage.describe, place.read):
        with pytest.raises(SourceNotFoundError, match="none"):
            operation(uri)


def test_a_list_holds_all_that_is_below_by_ascending_uri(place):
    names = ["b", "a/b", "a-b", "a.txt", "a/b-c/d", "a/bc", "Z", "c/d/e/f"]
    for name in names:
        place.write(name, name.encode())
    found = list(place.storage.list(place.folder, limit=LIMIT))
    assert [stored.uri for stored in found] == sorted(place.folder + name for name in names)
    assert [stored.size_bytes for stored in found] == [len(name) for name in sorted(names)]


def test_a_list_leaves_out_what_only_begins_alike(place):
    place.write("a/1")
    place.write("ab/2")
    assert place.names("a/") == ["a/1"]


def test_a_prefix_without_objects_lists_nothing(place):
    place.write("a")
    assert place.names("nothing/") == []


def test_a_list_ends_with_an_error_over_its_limit_only(place):
    for name in "abc":
        place.write(name)
    assert place.names(limit=3) == ["a", "b", "c"]
    with pytest.raises(LimitExceededError, match="more than 2 objects"):
        place.names(limit=2)
    with pytest.raises(LimitExceededError, match="more than 0 objects"):
        place.names(limit=0)


def test_reading_stops_at_the_limit(place):
    uri = place.write("code.zip", b"x" * 1000)
    assert len(place.read(uri, max_bytes=1000)) == 1000
    target = BytesIO()
    with pytest.raises(LimitExceededError, match="999 bytes"):
        place.storage.read(uri, target, max_bytes=999)
    assert len(target.getvalue()) <= 999


def test_deleting_takes_one_object_and_may_be_repeated(place):
    uri = place.write("a/b")
    place.write("a/c")
    place.storage.delete(uri)
    place.storage.delete(uri)
    assert place.names() == ["a/c"]
    with pytest.raises(SourceNotFoundError):
        place.read(uri)


def test_a_folder_that_lost_its_last_object_is_a_free_name(place):
    place.storage.delete(place.write("a/b/c"))
    assert place.names() == []
    assert place.read(place.write("a", b"now an object")) == b"now an object"


def test_names_are_kept_character_by_character(place):
    for key in UNUSUAL_KEYS:
        assert place.read(place.write(key, key.encode())) == key.encode()
    assert place.names() == sorted(UNUSUAL_KEYS)


def test_a_reader_sees_the_old_object_or_the_new(place):
    versions = [bytes([version]) * 400_000 for version in (1, 2)]
    uri = place.write("code.zip", versions[0])
    done = threading.Event()

    def rewrite():
        for turn in range(10):
            place.write("code.zip", versions[turn % 2])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    while not done.is_set():
        assert place.read(uri) in versions
    writer.join()


@pytest.mark.parametrize("key", ["code.zip", *UNUSUAL_KEYS])
def test_a_download_url_fetches_its_object_without_credentials(real_place, key):
    uri = real_place.write(key, b"content")
    url = real_place.storage.download_url(uri, expires_in=timedelta(minutes=5))
    assert url.isascii()
    with urlopen(url, timeout=10) as response:
        assert response.read() == b"content"


@pytest.mark.parametrize(
    "name",
    ["", "folder/", "a/../b", "..", "./a", "a\nb", "nul\0", "x" * 1025, "\udcff"],
    ids=["empty", "folder", "parent", "only-parent", "dot", "line", "nul", "long", "surrogate"],
)
def test_a_uri_that_names_no_object_is_refused(place, name):
    uri = place.folder.removesuffix("in/") + name
    for operation in (
        place.storage.describe,
        place.read,
        place.storage.delete,
        lambda bad: place.storage.write(bad, BytesIO(b"x")),
        lambda bad: place.storage.download_url(bad, expires_in=timedelta(minutes=1)),
    ):
        with pytest.raises(UnsupportedSourceError):
            operation(uri)


_parts = st.sampled_from(
    ["a.py", "d", "..", ".", "", "%00", "\0", "%ff", "?x", "#f", "\ud800", " "]
)
_names = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.lists(_parts | st.just("n" * 300), max_size=6).map("/".join),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_names)
def test_no_name_makes_storage_look_unavailable(place, name):
    """Whoever wrote such a URI would wait for retries that cannot help."""
    uri = place.folder + name
    for operation in (
        place.storage.describe,
        place.read,
        lambda uri: list(place.storage.list(f"{uri}/", limit=10)),
    ):
        with suppress(PermanentError):
            operation(uri)


@pytest.mark.parametrize("prefix", ["no-slash", "a/../b/", "a\0/"])
def test_a_prefix_that_is_none_is_refused(place, prefix):
    with pytest.raises(UnsupportedSourceError):
        place.names(prefix)
