from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.data_folder import (
    DataFolder,
    DataFolderError,
    DataFolderInUseError,
    ForeignDataFolderError,
)
from lambda_embedded.private_files import write_private

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "home")
    folder.create()
    return folder


def test_every_folder_is_its_owners_alone(folder: DataFolder):
    for path in (folder.root, folder.storage, folder.pods, folder.builds, folder.cache):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_an_open_folder_of_an_earlier_version_is_closed(folder: DataFolder):
    folder.root.chmod(0o755)
    folder.create()
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700


def test_what_an_earlier_version_left_open_is_closed(folder: DataFolder):
    log = folder.pods / "default" / "hello-1" / "user-container.log"
    log.parent.mkdir(parents=True)
    log.touch(mode=0o644)
    folder.storage.chmod(0o755)
    folder.create()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.storage.stat().st_mode) == 0o700


def test_closing_logs_follows_no_link(folder: DataFolder, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.touch(mode=0o644)
    link = folder.pods / "default" / "hello-1" / "user-container.log"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    folder.create()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_says_which_and_how_to_name_another(
    tmp_path: Path, place: str
):
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match=f"cannot use {tmp_path / place} .*--home"):
        DataFolder(tmp_path / place).create()


def test_the_second_lock_is_rejected_with_the_pid_of_the_first(folder: DataFolder):
    with (
        folder.lock(),
        pytest.raises(DataFolderInUseError, match=f"pid {os.getpid()}"),
        DataFolder(folder.root).lock(),
    ):
        pass


def test_a_lock_is_free_again_after_its_block(folder: DataFolder):
    with folder.lock():
        pass
    with folder.lock():
        pass


def test_the_owner_of_a_locked_folder_is_its_process(folder: DataFolder):
    with folder.lock():
        assert folder.is_locked()
        assert folder.owner() == os.getpid()
    assert not folder.is_locked()
    assert folder.owner() is None


def test_to_look_at_the_lock_does_not_take_it(folder: DataFolder):
    assert not folder.is_locked()
    with folder.lock():
        assert folder.is_locked()


def test_a_pid_that_was_left_behind_owns_nothing(folder: DataFolder):
    folder.lock_file.write_text(str(os.getpid()))
    assert not folder.is_locked()
    assert folder.owner() is None


@pytest.mark.parametrize("pid", ["", "1", "-1", "not a pid", "1\n2"])
def test_a_pid_that_does_not_hold_the_lock_is_not_the_owner(folder: DataFolder, pid: str):
    with folder.lock():
        folder.lock_file.write_text(pid)
        assert folder.is_locked()
        assert folder.owner() is None


@pytest.mark.parametrize("kind", ["link", "pipe", "of another user"])
def test_a_lock_that_somebody_prepared_has_no_owner(
    folder: DataFolder, tmp_path: Path, monkeypatch, kind: str
):
    if kind == "of another user":
        folder.lock_file.write_text(str(os.getpid()))
        monkeypatch.setattr(os, "geteuid", lambda: -1)
    elif kind == "pipe":
        os.mkfifo(folder.lock_file)
    else:
        folder.lock_file.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").write_text(str(os.getpid()))
    assert folder.owner() is None


def test_a_folder_without_a_lock_is_not_locked(tmp_path: Path):
    nothing = DataFolder(tmp_path / "nothing")
    assert not nothing.is_locked()
    assert nothing.owner() is None


def test_announcing_replaces_and_withdrawing_twice_is_fine(folder: DataFolder):
    folder.publish({"pid": 1})
    folder.publish({"pid": 2})
    assert '"pid": 2' in folder.platform_file.read_text()
    folder.withdraw()
    folder.withdraw()
    assert not folder.platform_file.exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"gateway": "x"}'])
def test_a_broken_memory_of_ports_is_none(folder: DataFolder, text: str):
    folder.ports_file.write_text(text)
    assert folder.remembered_ports() == {}


def test_a_private_file_is_never_readable_by_others(tmp_path: Path):
    write_private(tmp_path / "secret", "x")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user, hence root")
@pytest.mark.parametrize("planted", [".", "token", "runtimes"])
def test_a_folder_in_which_something_is_another_users_is_rejected(tmp_path, planted):
    folder = DataFolder(tmp_path / "home")
    folder.create()
    (folder.root / planted).mkdir(exist_ok=True)
    os.chown(folder.root / planted, 65534, 65534)
    with pytest.raises(ForeignDataFolderError, match="belongs to another user"):
        folder.create()
