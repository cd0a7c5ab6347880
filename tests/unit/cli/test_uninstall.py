"""`kn-lambda uninstall` removes a data folder that the platform made, and nothing else."""

from __future__ import annotations

import json
import os

import pytest

from kn_lambda.errors import ExitCode
from kn_lambda.running.places import Places
from lambda_embedded.data_folder import DataFolder


@pytest.fixture
def home(tmp_path):
    """A data folder with something in it."""
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with folder.lock():
        for path in (*folder.files, folder.root / "state.sqlite-wal", folder.root / "platform.log"):
            path.touch()
    layer = folder.images / "sha256" / "rootfs"
    layer.mkdir(parents=True)
    (layer / "file").write_text("x")
    layer.chmod(0o500)  # as layers of images may be
    return folder


@pytest.fixture
def uninstall(kn_lambda, home, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    def run(*arguments, folder=home.root, **more):
        return kn_lambda("uninstall", "--home", str(folder), *arguments, **more)

    return run


def assert_refused(result, folder, why):
    assert result.exit_code != ExitCode.OK
    assert why in result.stderr
    assert "nothing was removed" in result.stderr
    assert folder.exists()


def test_with_yes_the_whole_folder_is_gone(uninstall, home, tmp_path):
    result = uninstall("--yes")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert f"Removed {home.root}.\n" in result.stdout
    assert not home.root.exists()
    assert tmp_path.exists()


def test_a_folder_that_only_run_has_used_is_removed_as_well(uninstall, tmp_path):
    places = Places(tmp_path / "of-run")
    places.create()
    result = uninstall("--yes", folder=places.home)
    assert result.exit_code == ExitCode.OK, result.stderr
    assert not places.home.exists()


def test_it_lists_what_is_where_and_the_way_to_remove_the_rest(uninstall, home, tmp_path):
    (tmp_path / "caches" / "knative-lambda").mkdir(parents=True)
    completion = tmp_path / ".config/fish/completions/kn-lambda.fish"
    completion.parent.mkdir(parents=True)
    completion.touch()
    result = uninstall("--dry-run")
    assert result.exit_code == ExitCode.OK
    for path in (home.storage, home.images, completion, tmp_path / "caches" / "knative-lambda"):
        assert str(path) in result.stdout
    assert "program" in result.stdout
    assert (home.images / "sha256" / "rootfs" / "file").exists()


def test_in_json_it_is_one_document(uninstall, home):
    document = json.loads(uninstall("--dry-run", "-o", "json").stdout)
    assert (document["home"], document["removed"]) == (str(home.root), False)
    assert {part["path"] for part in document["data"]} >= {str(path) for path in home.folders}
    assert document["others"][-1]["what"] == "program"
    assert json.loads(uninstall("--yes", "-o", "json").stdout)["removed"] is True


def test_without_a_terminal_and_without_yes_nothing_is_removed(uninstall, home):
    result = uninstall(stdin=b"y\n")
    assert result.exit_code == ExitCode.USAGE
    assert_refused(result, home.token, "--yes")


def test_where_nothing_is_nothing_is_done(uninstall, tmp_path):
    result = uninstall("--yes", folder=tmp_path / "nothing")
    assert result.exit_code == ExitCode.OK
    assert "There is no data in" in result.stdout


def test_while_the_platform_runs_nothing_is_removed(uninstall, home):
    with home.lock():
        result = uninstall("--yes")
    assert_refused(result, home.token, "a platform runs on")
    assert f"kn-lambda down --home {home.root}" in result.stderr


@pytest.mark.parametrize("place", ["", "storage", "images"])
def test_what_a_link_points_to_stays(uninstall, home, tmp_path, place):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    if place:
        link = home.root / place / "link"
    else:
        link = home.builds
        link.rmdir()
    link.symlink_to(precious)
    assert uninstall("--yes").exit_code == ExitCode.OK
    assert (precious / "file").exists()
    assert not home.root.exists()


def test_a_link_to_a_data_folder_is_not_followed(uninstall, home, tmp_path):
    (tmp_path / "link").symlink_to(home.root)
    result = uninstall("--yes", folder=tmp_path / "link")
    assert_refused(result, home.token, "is a link to")


def test_a_lock_that_is_a_link_is_not_written_through(uninstall, home, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("content")
    home.lock_file.unlink()
    home.lock_file.symlink_to(precious)
    assert_refused(uninstall("--yes"), home.token, "is not a data folder")
    assert precious.read_text() == "content"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_lock_that_is_no_file_is_not_one_of_the_platform(uninstall, home, make):
    home.lock_file.unlink()
    make(home.lock_file)
    assert_refused(uninstall("--yes"), home.token, "is not a data folder")


@pytest.mark.parametrize("name", ["notes.txt", ".ssh", "\x1b[2Jevil", ".token.x"])
def test_a_folder_with_anything_of_somebody_else_is_refused(uninstall, home, name):
    (home.root / name).touch()
    assert_refused(uninstall("--yes"), home.token, repr(name))


def test_leftovers_of_an_interrupted_write_are_ours(uninstall, home):
    (home.root / ".platform.json.4711").touch()
    assert uninstall("--yes").exit_code == ExitCode.OK


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr/lib", "~"])
def test_a_folder_that_the_platform_did_not_make_is_refused(uninstall, folder):
    result = uninstall("--yes", folder=folder)
    assert result.exit_code == ExitCode.FAILED
    assert "nothing was removed" in result.stderr


def test_an_empty_folder_is_not_a_data_folder(uninstall, tmp_path):
    (tmp_path / "empty").mkdir()
    assert_refused(uninstall("--yes", folder=tmp_path / "empty"), tmp_path / "empty", "did not")


def test_a_cluster_is_never_touched(uninstall, home, fake_platform):
    result = uninstall("--yes", "--context", "prod")
    assert result.exit_code == ExitCode.USAGE
    assert home.root.exists()
    assert fake_platform.http.sent == []


@pytest.mark.parametrize(
    ("receipt", "command"),
    [
        ("pipx_metadata.json", "pipx uninstall kn-lambda"),
        ("uv-receipt.toml", "uv tool uninstall kn-lambda"),
        ("pyvenv.cfg", "pip uninstall kn-lambda"),
    ],
)
def test_the_way_to_remove_the_program_is_that_of_its_installer(
    uninstall, monkeypatch, tmp_path, receipt, command
):
    prefix = tmp_path / "kn-lambda"
    prefix.mkdir()
    (prefix / receipt).touch()
    monkeypatch.setattr("sys.prefix", str(prefix))
    document = json.loads(uninstall("--dry-run", "-o", "json").stdout)
    assert document["others"][-1]["path"] == str(prefix)
    assert document["others"][-1]["remove"].endswith(command)
