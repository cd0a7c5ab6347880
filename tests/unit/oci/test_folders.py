import os

from lambda_oci.folders import remove


def test_folders_as_deep_as_a_program_can_make_them_are_removed(tmp_path):
    folder, before = tmp_path / "folder", os.getcwd()  # noqa: PTH109 - where this process goes back to
    folder.mkdir()
    try:
        os.chdir(folder)
        for _ in range(1500):
            os.mkdir("d" * 100)  # noqa: PTH102 - a path that is too long for one call
            os.chdir("d" * 100)
    finally:
        os.chdir(before)
    remove(folder)
    assert not folder.exists()


def test_what_is_closed_to_its_owner_is_removed_and_links_are_not_followed(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    closed = tmp_path / "folder/a/b"
    closed.mkdir(parents=True)
    (closed / "link").symlink_to(kept)
    (closed / "file").touch(mode=0)
    for folder in (closed, closed.parent, closed.parent.parent):
        folder.chmod(0)
    remove(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").is_file()
