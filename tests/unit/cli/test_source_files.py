from __future__ import annotations

import os
from pathlib import Path

import pytest

from kn_lambda.deploying.source_files import read_source
from kn_lambda.errors import CommandError, WrongUsageError

_LIMITS = {"max_bytes": 1000, "max_files": 10}


def _write(root, **files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def _paths(root, **limits):
    return [file.path for file in read_source(root, **(_LIMITS | limits)).files]


def test_a_folder_is_read_in_order_less_what_is_no_code(tmp_path):
    _write(
        tmp_path,
        **{
            "main.py": "", "lib/b.py": "", "lib/a.py": "", "function.yaml": "", ".funcignore": "",
            ".git/config": "", "__pycache__/main.pyc": "", "node_modules/x/index.js": "",
            ".venv/bin/python": "", ".env": "SECRET=1", "lib/function.yaml": "",
        },
    )  # fmt: skip
    assert _paths(tmp_path) == ["lib/a.py", "lib/b.py", "lib/function.yaml", "main.py"]


def test_a_funcignore_adds_to_and_takes_from_what_is_left_out(tmp_path):
    _write(
        tmp_path,
        **{
            ".funcignore": "# tests stay here\ntests/\n*.log\n!keep.log\n!.env\n/top.txt\n",
            "main.py": "", "tests/test_main.py": "", "a.log": "", "keep.log": "", ".env": "",
            "top.txt": "", "deep/top.txt": "",
        },
    )  # fmt: skip
    assert _paths(tmp_path) == [".env", "deep/top.txt", "keep.log", "main.py"]


def test_a_manifest_of_any_name_stays_here(tmp_path):
    _write(tmp_path, **{"main.py": "", "production.yaml": ""})
    assert _paths(tmp_path, manifest=tmp_path / "production.yaml") == ["main.py"]


def test_a_single_file_is_a_source_of_that_file(tmp_path):
    _write(tmp_path, **{"one.py": "x = 1", "other.py": ""})
    (file,) = read_source(tmp_path / "one.py", **_LIMITS).files
    assert (file.path, file.content) == ("one.py", b"x = 1")


def test_a_folder_can_be_named_relative_to_where_we_are(tmp_path, monkeypatch):
    _write(tmp_path, **{"app/lib/a.py": ""})
    monkeypatch.chdir(tmp_path)
    assert _paths(Path("app")) == ["lib/a.py"]
    monkeypatch.chdir(tmp_path / "app")
    assert _paths(Path()) == ["lib/a.py"]


def test_an_empty_folder_is_rejected(tmp_path):
    _write(tmp_path, **{"function.yaml": ""})
    with pytest.raises(WrongUsageError, match="has no files to deploy"):
        _paths(tmp_path)


def test_too_many_files_and_too_many_bytes_are_rejected(tmp_path):
    _write(tmp_path, a="x" * 10, b="y" * 10)
    with pytest.raises(CommandError, match="has 2 files; the limit is 1"):
        _paths(tmp_path, max_files=1)
    with pytest.raises(CommandError, match="is larger than"):
        _paths(tmp_path, max_bytes=19)
    assert _paths(tmp_path, max_bytes=20) == ["a", "b"]


def test_a_name_that_is_not_utf_8_is_rejected(tmp_path):
    _write(tmp_path, **{"main.py": "", os.fsdecode(b"bad\xff"): ""})
    with pytest.raises(CommandError, match=r"bad\\udcff' is not text in UTF-8"):
        _paths(tmp_path)


def test_a_file_that_is_larger_than_any_memory_is_rejected(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(2**42)
    for path in (tmp_path, tmp_path / "huge"):
        with pytest.raises(CommandError, match="is larger than"):
            _paths(path)


def test_a_link_is_followed_inside_the_source_only(tmp_path):
    source = tmp_path / "source"
    _write(source, **{"main.py": "text"})
    (source / "inside.py").symlink_to("main.py")
    assert _paths(source) == ["inside.py", "main.py"]
    _write(tmp_path, secret="")
    (source / "outside").symlink_to(tmp_path / "secret")
    with pytest.raises(CommandError, match="points outside the source"):
        _paths(source)


@pytest.mark.parametrize("target", ["gone", ".", "link"])
def test_a_link_to_nothing_a_folder_or_itself_is_rejected(tmp_path, target):
    _write(tmp_path, **{"main.py": ""})
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(CommandError, match="link"):
        _paths(tmp_path)


def test_an_ignored_link_is_no_trouble(tmp_path):
    _write(tmp_path, **{"main.py": "", ".funcignore": "link\n"})
    (tmp_path / "link").symlink_to("/")
    assert _paths(tmp_path) == ["main.py"]


@pytest.mark.parametrize("name", [".wh.main.py", "a/.wh.b", ".wh.a/b"])
def test_a_name_that_an_image_takes_for_a_removal_is_rejected(tmp_path, name):
    _write(tmp_path, **{"main.py": "", name: ""})
    with pytest.raises(CommandError, match=r"begins with \.wh\.") as rejected:
        _paths(tmp_path)
    assert ".funcignore" in rejected.value.hint


def test_a_single_file_of_such_a_name_is_rejected(tmp_path):
    _write(tmp_path, **{".wh.main.py": ""})
    with pytest.raises(CommandError, match=r"begins with \.wh\."):
        _paths(tmp_path / ".wh.main.py")


def test_such_a_name_that_is_ignored_is_no_trouble(tmp_path):
    _write(tmp_path, **{"main.py": "", ".wh.b": "", ".funcignore": ".wh.*\n"})
    assert _paths(tmp_path) == ["main.py"]
