"""Repositories in folders: tags move, images stay, blobs are shared."""

from __future__ import annotations

import json

import pytest

from lambda_oci.descriptors import LAYER_GZIP, describe
from lambda_oci.errors import StoredImageError
from lambda_oci.folders import fill_once, new_file, new_folder
from lambda_oci.layout import REF_NAME, LayoutRepository


@pytest.fixture
def repository(tmp_path):
    return LayoutRepository(tmp_path / "tenant" / "fn")


def tags(tmp_path):
    index = json.loads((tmp_path / "tenant/fn/index.json").read_text())
    return [
        (entry["digest"], entry.get("annotations", {}).get(REF_NAME))
        for entry in index["manifests"]
    ]


def add(repository, content, tag):
    with repository.writing():
        return repository.add_manifest(content, tag).digest


def test_a_tag_that_moves_leaves_its_image_there(repository, tmp_path):
    first, second = add(repository, b"first", "latest"), add(repository, b"second", "latest")
    assert tags(tmp_path) == [(first, None), (second, "latest")]
    assert repository.read_manifest(first) == b"first"


def test_an_image_with_two_tags_has_two_entries(repository, tmp_path):
    digest = add(repository, b"image", "v1")
    add(repository, b"image", "v2")
    assert tags(tmp_path) == [(digest, "v1"), (digest, "v2")]


def test_the_same_again_changes_nothing(repository, tmp_path):
    add(repository, b"image", "v1")
    before = (tmp_path / "tenant/fn/index.json").read_bytes()
    add(repository, b"image", "v1")
    assert (tmp_path / "tenant/fn/index.json").read_bytes() == before


def test_an_untagged_image_that_is_tagged_again_has_one_entry(repository, tmp_path):
    first = add(repository, b"first", "latest")
    second = add(repository, b"second", "latest")
    add(repository, b"first", "latest")
    assert tags(tmp_path) == [(second, None), (first, "latest")]


def test_blobs_of_another_folder_are_linked_not_copied(tmp_path, repository):
    blob = describe(LAYER_GZIP, b"layer")
    (tmp_path / "layer").write_bytes(b"layer")
    base = LayoutRepository(tmp_path / "base")
    with base.writing():
        base.add_blob(blob, tmp_path / "layer")
    with repository.writing():
        assert repository.adopt(blob, base)
    assert repository.contains(blob)
    assert repository.path(blob).samefile(base.path(blob))


def test_a_blob_of_the_wrong_size_is_not_taken_for_the_blob(repository):
    blob = describe(LAYER_GZIP, b"layer")
    with repository.writing():
        repository.path(blob).write_bytes(b"lay")
        assert not repository.contains(blob)


def test_damaged_blobs_are_not_handed_out(repository, tmp_path):
    blob = describe(LAYER_GZIP, b"layer")
    with repository.writing():
        repository.path(blob).write_bytes(b"Layer")
    for read in (
        lambda: repository.read_manifest(blob.digest),
        lambda: repository.read_blob(blob),
        lambda: repository.copy_blob(blob, tmp_path / "copy"),
    ):
        with pytest.raises(StoredImageError) as caught:
            read()
        assert caught.value.reason == "InvalidImage"


def test_what_is_not_there_is_said_to_be_missing(repository, tmp_path):
    blob = describe(LAYER_GZIP, b"layer")
    with pytest.raises(StoredImageError, match="is not in 'fn'") as caught:
        repository.copy_blob(blob, tmp_path / "copy")
    assert caught.value.reason == "ImageNotFound"


def test_what_a_killed_writer_left_is_removed(repository, tmp_path):
    add(repository, b"image", "v1")
    left_over = tmp_path / "tenant/fn/blobs/sha256/.abc.123.partial"
    left_over.write_bytes(b"half")
    add(repository, b"image", "v1")
    assert not left_over.exists()


def test_a_folder_that_fails_halfway_never_appears(tmp_path):
    with pytest.raises(IsADirectoryError), new_folder(tmp_path / "target") as folder:
        folder.write_text("a folder is no file")
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_in_a_partial_folder_is_gone(tmp_path):
    (tmp_path / "target.partial").mkdir()
    (tmp_path / "target.partial/half").touch()
    with new_folder(tmp_path / "target") as folder:
        (folder / "whole").touch()
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")] == ["target", "target/whole"]


def test_a_folder_is_filled_once(tmp_path):
    fill_once(tmp_path / "target", lambda folder: (folder / "first").touch())
    fill_once(tmp_path / "target", lambda folder: (folder / "second").touch())
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["first"]


def test_a_file_that_fails_halfway_leaves_the_old_one(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(UnicodeEncodeError), new_file(tmp_path / "file") as partial:
        partial.write_text("ne\ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
