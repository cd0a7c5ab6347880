"""Saves as editors make them, on a real file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from kn_lambda.deploying.saves import Watch, saves
from kn_lambda.errors import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IDLE_SECONDS = 0.1
# At 0.1 s each: far away.
_LOOKS = 600


@pytest.fixture
def folder(tmp_path) -> Path:
    source = tmp_path / "hello"
    (source / "lib").mkdir(parents=True)
    (source / "main.py").write_text("1")
    return source


def watching(path: Path, *beside: Path) -> Iterator[bool]:
    """Return saves that are watched for already."""
    seen = saves(Watch(path=path, beside=beside, idle_seconds=_IDLE_SECONDS))
    assert next(seen), "the first look is for what was saved before"
    return seen


def is_noticed(seen: Iterator[bool]) -> bool:
    return any(is_saved for is_saved, _ in zip(seen, range(_LOOKS), strict=False))


def write(path: Path) -> None:
    path.write_text("2")


def write_beside_and_rename(path: Path) -> None:
    path.with_name("4913").write_text("2")
    path.with_name("4913").replace(path)


def rename_and_write(path: Path) -> None:
    path.rename(path.with_name("main.py~"))
    path.write_text("2")
    path.with_name("main.py~").unlink()


@pytest.mark.parametrize("edit", [write, write_beside_and_rename, rename_and_write])
@pytest.mark.parametrize("what", ["folder", "file"])
def test_every_way_to_save_is_noticed(folder, edit, what):
    seen = watching(folder if what == "folder" else folder / "main.py")
    for _ in range(2):
        edit(folder / "main.py")
        assert is_noticed(seen)


def test_files_in_folders_that_are_new_are_noticed(folder):
    seen = watching(folder)
    (folder / "lib" / "deep" / "deeper").mkdir(parents=True)
    assert is_noticed(seen)
    (folder / "lib" / "deep" / "deeper" / "a.py").write_text("")
    assert is_noticed(seen)


def test_what_is_saved_between_two_looks_is_noticed_at_the_next(folder):
    seen = watching(folder)
    (folder / "main.py").write_text("while a deployment runs")
    (folder / "lib" / "a.py").write_text("too")
    assert is_noticed(seen)


def test_nothing_saved_is_no_save(folder):
    seen = watching(folder)
    assert [next(seen) for _ in range(3)] == [False, False, False]


def test_a_function_yaml_elsewhere_is_looked_at_as_well(folder, tmp_path):
    manifest = tmp_path / "function.yaml"
    manifest.write_text("1")
    seen = watching(folder, manifest)
    write_beside_and_rename(manifest)
    assert is_noticed(seen)


def test_what_does_not_matter_is_no_save(folder):
    variables = folder / ".env"
    variables.write_text("1")
    watch = Watch(
        path=folder,
        beside=[variables],
        matters=str(folder / "main.py").__eq__,
        idle_seconds=_IDLE_SECONDS,
    )
    seen = saves(watch)
    assert next(seen)
    write(folder / "lib" / "a.py")
    assert [next(seen) for _ in range(3)] == [False, False, False]
    write(folder / "main.py")
    assert is_noticed(seen)
    write_beside_and_rename(variables)
    assert is_noticed(seen)


def test_the_first_look_may_stand_for_nothing(folder):
    seen = saves(Watch(path=folder, sees_earlier=False, idle_seconds=_IDLE_SECONDS))
    assert not next(seen)
    write(folder / "main.py")
    assert is_noticed(seen)


def test_watching_can_be_ended_from_another_thread(folder):
    stopping = threading.Event()
    seen = saves(Watch(path=folder, idle_seconds=60, stopping=stopping))
    threading.Timer(0.1, stopping.set).start()
    assert list(seen) == []


def test_a_folder_that_replaces_the_watched_one_is_watched(folder):
    seen = watching(folder)
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    shutil.rmtree(folder)
    other.rename(folder)
    assert is_noticed(seen)
    (folder / "main.py").write_text("2")
    assert is_noticed(seen)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_is_deleted_ends_the_watch_with_words(folder, what):
    path = folder if what == "folder" else folder / "main.py"
    seen = watching(path)
    shutil.rmtree(folder)
    with pytest.raises(MissingError, match="is gone") as ended:
        list(zip(seen, range(_LOOKS), strict=False))
    assert "when it is back" in ended.value.hint


def test_a_limit_of_the_system_is_named_with_the_way_out(folder):
    script = f"""
import os, resource
from pathlib import Path
import watchfiles
from kn_lambda.deploying.saves import Watch, saves
from kn_lambda.errors import CommandError

resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
try:
    while True:
        os.dup(0)
except OSError:
    pass
try:
    next(saves(Watch(path=Path({str(folder)!r}))))
except CommandError as error:
    print(error.message, error.hint)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"cannot watch {folder}" in run.stdout
    assert "WATCHFILES_FORCE_POLLING=true" in run.stdout


def test_a_name_that_is_not_utf_8_ends_nothing(folder):
    seen = watching(folder)
    write(folder / os.fsdecode(b"bad\xff"))
    assert is_noticed(seen)
    write(folder / "main.py")
    assert is_noticed(seen)
