from __future__ import annotations

import os
from datetime import timedelta
from io import BytesIO

import pytest

from knative_lambda.adapters.storage.file import FileStorage
from knative_lambda.domain.errors import (
    RejectedByPlatformError,
    SourceNotFoundError,
    StorageUnavailableError,
    UnsupportedSourceError,
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return tmp_path / "root"


@pytest.fixture
def storage(root):
    return FileStorage(roots=[root])


def read(storage, path):
    target = BytesIO()
    storage.read(f"file://{path}", target, max_bytes=100)
    return target.getvalue()


def test_a_path_outside_of_the_roots_is_refused(storage, root):
    uri = f"file://{root.parent}/outside/secret"
    for operation in (
        storage.describe,
        storage.delete,
        lambda bad: read(storage, bad.removeprefix("file://")),
        lambda bad: storage.write(bad, BytesIO(b"x")),
        lambda bad: list(storage.list(bad.removesuffix("secret"), limit=9)),
        lambda bad: storage.download_url(bad, expires_in=timedelta(1)),
    ):
        with pytest.raises(UnsupportedSourceError, match="outside of the allowed folders"):
            operation(uri)
    assert (root.parent / "outside" / "secret").read_text() == "secret"


def test_a_folder_beside_a_root_with_the_same_beginning_is_outside(storage, root):
    with pytest.raises(UnsupportedSourceError):
        storage.describe(f"file://{root}-other/x")


def test_a_link_to_the_outside_is_refused(storage, root):
    (root / "link").symlink_to(root.parent / "outside" / "secret")
    (root / "folder").symlink_to(root.parent / "outside")
    for path in ("link", "folder/secret"):
        with pytest.raises(UnsupportedSourceError):
            read(storage, root / path)
    with pytest.raises(UnsupportedSourceError):
        storage.write(f"file://{root}/folder/new", BytesIO(b"x"))
    with pytest.raises(UnsupportedSourceError):
        list(storage.list(f"file://{root}/", limit=9))


def test_writing_to_a_link_replaces_the_link(storage, root):
    (root / "link").symlink_to(root.parent / "outside" / "secret")
    storage.write(f"file://{root}/link", BytesIO(b"new"))
    assert read(storage, root / "link") == b"new"
    assert (root.parent / "outside" / "secret").read_text() == "secret"


def test_deleting_a_link_keeps_what_it_leads_to(storage, root):
    (root / "link").symlink_to(root.parent / "outside" / "secret")
    storage.delete(f"file://{root}/link")
    assert list(root.iterdir()) == []
    assert (root.parent / "outside" / "secret").exists()


def test_a_link_within_the_root_is_followed(storage, root):
    (root / "real").write_bytes(b"x")
    (root / "link").symlink_to("real")
    assert read(storage, root / "link") == b"x"
    found = storage.list(f"file://{root}/", limit=9)
    assert [stored.uri for stored in found] == [
        f"file://{root}/{name}" for name in ("link", "real")
    ]


def test_a_root_may_be_reached_through_a_link(root):
    (root.parent / "alias").symlink_to(root)
    storage = FileStorage(roots=[root.parent / "alias"])
    storage.write(f"file://{root.parent}/alias/a", BytesIO(b"x"))
    assert read(storage, root / "a") == b"x"


def test_links_that_go_round_are_not_found(storage, root):
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(SourceNotFoundError):
        read(storage, root / "a")


@pytest.mark.timeout(10)
def test_a_named_pipe_is_no_object_and_holds_nobody(storage, root):
    os.mkfifo(root / "pipe")
    for operation in (lambda: read(storage, root / "pipe"), lambda: list_all(storage, root)):
        with pytest.raises(SourceNotFoundError, match="is not a file"):
            operation()


def list_all(storage, root):
    return list(storage.list(f"file://{root}/", limit=9))


def test_a_write_that_fails_leaves_the_old_object_and_no_rest(storage, root):
    class Broken(BytesIO):
        def read(self, size=-1):
            raise OSError(5, "broken")

    storage.write(f"file://{root}/a", BytesIO(b"old"))
    with pytest.raises(StorageUnavailableError):
        storage.write(f"file://{root}/a", Broken())
    assert read(storage, root / "a") == b"old"
    assert [path.name for path in root.iterdir()] == ["a"]


def test_a_write_under_way_is_not_listed(storage, root):
    class Looking(BytesIO):
        seen = None

        def read(self, size=-1):
            self.seen = list_all(storage, root) if self.seen is None else self.seen
            return super().read(size)

    source = Looking(b"x")
    storage.write(f"file://{root}/a", source)
    assert source.seen == []


@pytest.mark.parametrize("name", ["file/below", "file/two/below", "folder", "x" * 256])
def test_a_name_that_cannot_be_is_rejected(storage, root, name):
    (root / "file").write_bytes(b"x")
    (root / "folder" / "full").mkdir(parents=True)
    with pytest.raises(RejectedByPlatformError):
        storage.write(f"file://{root}/{name}", BytesIO(b"x"))
    with pytest.raises(SourceNotFoundError):
        read(storage, root / name)
    storage.delete(f"file://{root}/{name}")


def test_deleting_removes_empty_folders_up_to_the_root(storage, root):
    (root / "kept").write_bytes(b"x")
    storage.write(f"file://{root}/a/b/c", BytesIO(b"x"))
    storage.delete(f"file://{root}/a/b/c")
    assert [path.name for path in root.iterdir()] == ["kept"]
    storage.delete(f"file://{root}/kept")
    assert root.exists()


@pytest.mark.parametrize("uri", ["file://host/a", "file:/a", "file:////a", "file:///a//b", "/a"])
def test_another_form_of_uri_is_refused(storage, uri):
    with pytest.raises(UnsupportedSourceError):
        storage.describe(uri)


def test_a_root_must_be_absolute(tmp_path):
    with pytest.raises(ValueError, match="roots"):
        FileStorage(roots=[tmp_path.relative_to("/")])


def test_a_download_url_is_the_files_own(storage, root):
    url = storage.download_url(f"file://{root}/two words", expires_in=timedelta(1))
    assert url == f"file://{root}/two%20words"


def test_a_name_that_is_not_unicode_is_refused_and_not_left_out(storage, root):
    (root / os.fsdecode(b"\xff.py")).write_bytes(b"x")
    with pytest.raises(UnsupportedSourceError, match="Unicode"):
        list_all(storage, root)
