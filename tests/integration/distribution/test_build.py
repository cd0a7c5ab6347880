"""What people install: all that it needs, nothing that is ours alone, the same from everywhere."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from distribution.build import copy_tracked_files
from tests.integration.distribution.helpers.building import CHECKOUT, Built, build

# Both are built once.
pytestmark = pytest.mark.xdist_group("distribution")

FILES = "lambda_embedded/files"


def read(folder: str) -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / folder / "pyproject.toml").read_text())


def name_of(requirement: str) -> str:
    return re.split("[^A-Za-z0-9-]", requirement, maxsplit=1)[0]


PROJECT = read(".")


def test_any_checkout_gives_the_same_bytes_whatever_lies_about_in_it(built: Built, tmp_path: Path):
    other = tmp_path / "other ö checkout"
    copy_tracked_files(CHECKOUT, other)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=other, check=True)
    for name in (
        "functions/cleanup/.env",
        "functions/notes.txt",
        "cli/src/kn_lambda/__pycache__/main.cpython-311.pyc",
        "cli/src/kn_lambda/scratch.py",
        "runtimes/nodejs/templates/event/node_modules/left/index.js",
        "runtimes/python/templates/event/.venv/pyvenv.cfg",
        "config/overlays/production/password.yaml",
        "dist/kn_lambda-0.0.1.tar.gz",
    ):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text("private")
    (other / "docs" / "id_ed25519.md").symlink_to(Path("/etc/hostname"))
    subprocess.run(["git", "add", "docs/id_ed25519.md"], cwd=other, check=True)
    for file in other.rglob("*.py"):
        file.chmod(file.stat().st_mode & 0o700)
    again = build(other, tmp_path / "dist")
    assert again.contents() == built.contents()


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, as one gets it that has no checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built.sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return source


def wheel_of(source: Path, into: Path, **environment: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run(
        [*command, str(into)], cwd=source, env=environment, check=True, capture_output=True
    )
    (wheel,) = into.iterdir()
    return wheel


def test_the_sdist_alone_gives_the_same_wheel(built: Built, unpacked: Path, tmp_path: Path):
    assert wheel_of(unpacked, tmp_path).read_bytes() == built.wheel.read_bytes()


def test_a_release_can_choose_the_time_in_its_files(unpacked: Path, tmp_path: Path):
    wheel = wheel_of(unpacked, tmp_path, SOURCE_DATE_EPOCH="1767225600")
    assert zipfile.ZipFile(wheel).infolist()[0].date_time == (2026, 1, 1, 0, 0, 0)


def test_it_has_every_package_and_every_file_that_an_installation_reads(built: Built):
    names = set(zipfile.ZipFile(built.wheel).namelist())
    packages = [f"{member}/src" for member in PROJECT["tool"]["uv"]["workspace"]["members"]]
    listed = subprocess.run(
        ["git", "ls-files", "functions", "runtimes", "config", *packages],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for path in listed:
        package = path.partition("/src/")[2]
        assert (package or f"{FILES}/{path}") in names
    assert sum(".dist-info/" not in name for name in names) == len(listed)


def test_its_metadata_is_what_an_index_shows_and_an_installer_needs(built: Built):
    archive = zipfile.ZipFile(built.wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(archive.read(name))
    assert (metadata["Name"], metadata["Requires-Python"]) == ("kn-lambda", ">=3.11")
    assert (metadata["License-Expression"], metadata["Description-Content-Type"]) == (
        "Apache-2.0",
        "text/markdown",
    )
    assert metadata.get_payload().startswith("# Knative Lambda")
    needed = {line.split(";")[0] for line in metadata.get_all("Requires-Dist")}
    assert not any(line.startswith(("lambda-", "knative-lambda")) for line in needed)
    assert {name_of(line) for line in needed} == {
        name_of(line)
        for member in PROJECT["tool"]["uv"]["workspace"]["members"]
        for line in read(member)["project"]["dependencies"]
        if not line.startswith(("lambda-", "knative-lambda"))
    }
