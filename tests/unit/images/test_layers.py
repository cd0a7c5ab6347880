"""Layers: equal folders give equal bytes; what an operating system needs is kept."""

from __future__ import annotations

import os
import tarfile

import pytest

from images.layers import LayerCache, write_tree


def fill(root):
    (root / "b/deep").mkdir(parents=True)
    (root / "b/deep/file").write_text("text")
    (root / "program").write_text("#!")
    (root / "program").chmod(0o4775)
    (root / "link").symlink_to("/etc/anything")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def members(layer):
    with tarfile.open(layer.file) as archive:
        return {member.name: member for member in archive}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    fill(folder)
    return folder


def test_times_owners_and_umask_leave_no_trace(root, tmp_path):
    first = write_tree(root, tmp_path / "first")
    (root / "b/deep/file").chmod(0o600)
    (root / "b/deep").chmod(0o2700)
    (root / "b").chmod(0o777)
    os.utime(root / "b/deep/file", (1, 1))
    second = write_tree(root, tmp_path / "second")
    assert first.descriptor == second.descriptor
    assert first.diff_id == second.diff_id


def test_no_program_gains_rights_and_tmp_is_everybodys(root, tmp_path):
    found = members(write_tree(root, tmp_path / "layer"))
    assert list(found) == sorted(found)
    assert found["program"].mode == 0o755
    assert found["tmp"].mode == 0o1777
    assert found["link"].linkname == "/etc/anything"
    assert {(member.uid, member.gid, member.mtime) for member in found.values()} == {(0, 0, 0)}


def test_a_layer_is_made_once(tmp_path):
    cache, made = LayerCache(tmp_path / "cache"), []

    def fill_and_note(folder):
        made.append(folder)
        fill(folder)

    first = cache.layer("key", fill_and_note)
    assert cache.layer("key", fill_and_note) == first
    assert len(made) == 1


def test_a_folder_that_two_make_at_once_is_kept_once(tmp_path):
    cache, another = LayerCache(tmp_path / "cache"), LayerCache(tmp_path / "cache")

    def be_overtaken(folder):
        fill(folder)
        another.folder_of("key", fill)

    made = cache.folder_of("key", be_overtaken)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.name]


def test_what_fails_halfway_is_not_kept(tmp_path):
    cache = LayerCache(tmp_path / "cache")

    def fail(folder):
        fill(folder)
        raise RuntimeError

    for make in (cache.layer, cache.folder_of):
        with pytest.raises(RuntimeError):
            make("key", fail)
    assert list((tmp_path / "cache").iterdir()) == []
