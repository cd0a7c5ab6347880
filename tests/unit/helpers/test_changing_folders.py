"""A folder can be looked at while others remove what is in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.helpers.changing_folders import contents_below, paths_below, regular_files

if TYPE_CHECKING:
    from pathlib import Path


def test_everything_at_any_depth_is_found(tmp_path: Path):
    (tmp_path / "a" / ".hidden").mkdir(parents=True)
    (tmp_path / "a" / ".hidden" / "file").write_text("content")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "other").symlink_to("a/.hidden/file")

    names = {path.relative_to(tmp_path).as_posix() for path in paths_below(tmp_path)}

    assert names == {"a", "a/.hidden", "a/.hidden/file", "link", "other"}
    assert regular_files(tmp_path) == [tmp_path / "a/.hidden/file"]
    assert dict(contents_below(tmp_path)) == {tmp_path / "a/.hidden/file": b"content"}


def test_a_folder_that_goes_while_it_is_walked_is_left_out(tmp_path: Path):
    (tmp_path / "goes").mkdir()
    (tmp_path / "goes" / "file").write_text("content")

    found = paths_below(tmp_path)
    assert next(found).name == "goes"
    shutil.rmtree(tmp_path / "goes")

    assert list(found) == []


def test_a_file_that_goes_before_it_is_read_is_left_out(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    found = contents_below(tmp_path)
    first, _ = next(found)
    (tmp_path / ({"a", "b"} - {first.name}).pop()).unlink()

    assert list(found) == []
