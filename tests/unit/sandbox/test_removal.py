from __future__ import annotations

import os

from lambda_sandbox.removal import remove_folder

DEEP = 3000


def make_deep(root, levels):
    """Make folders deeper than any path may be long."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_folders_as_deep_as_a_program_can_make_them_are_removed(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    make_deep(root, DEEP)
    (root / "wide").mkdir()
    make_deep(root / "wide", 50)
    remove_folder(root)
    assert not root.exists()


def test_modes_keep_nothing_from_being_removed(tmp_path):
    root = tmp_path / "root"
    inner = root / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for folder in (inner, inner.parent, inner.parent.parent, root):
        folder.chmod(0o000)
    remove_folder(root)
    assert not root.exists()


def test_links_are_removed_and_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "kept").touch()
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "link").symlink_to(outside)
    (root / "link").symlink_to(outside)
    remove_folder(root)
    link = tmp_path / "link"
    link.symlink_to(outside)
    remove_folder(link)
    assert not root.exists()
    assert not link.is_symlink()
    assert (outside / "kept").exists()
    assert outside.stat().st_mode & 0o777 == 0o755


def test_what_is_not_there_is_removed_already(tmp_path):
    remove_folder(tmp_path / "nothing")
