"""Locks that uv itself made are installed from exactly, and refused once their project changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.package_indexes import python_index
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = """
[project]
name = "My.App"
version = "1"
requires-python = ">=3.11"
dependencies = ["Alpha >= 0.9, <1", "beta[]~=1.0; python_version >= '3.8'"]
[project.optional-dependencies]
fast = ["my-app[more]", "beta"]
more = ["alpha (>=0.5)"]
[dependency-groups]
dev = [{include-group = "lint"}]
lint = ["beta==1.*"]
[tool.uv]
dev-dependencies = ["alpha"]
"""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with python_index() as url:
        yield url


@pytest.fixture
def install(index: str, tmp_path: Path) -> Callable[..., RecipeRun]:
    def install_from_index(files: dict[str, str]) -> RecipeRun:
        return run_recipe("python", files, tmp_path / "run", PACKAGE_INDEX_URL=index)

    return install_from_index


@pytest.fixture
def uv(index: str, tmp_path: Path) -> Callable[..., str]:
    """Runs uv on a project as its author does; the text of the file that it leaves."""

    def run(project: str, file: str, *arguments: str) -> str:
        folder = tmp_path / "author"
        folder.mkdir()
        (folder / "pyproject.toml").write_text(project)
        program = Path(sys.executable).with_name("uv")
        command = [program, *arguments, "--default-index", index, "--no-cache", "--quiet"]
        subprocess.run(command, cwd=folder, check=True)
        return (folder / file).read_text()

    return run


def test_a_lock_of_uv_is_installed_exactly(install, uv) -> None:
    lock = uv(PROJECT, "uv.lock", "lock")
    run = install({"pyproject.toml": PROJECT, "uv.lock": lock})
    assert (run.status, run.lock) == (0, "alpha==0.9\nbeta==1.5\n")


def test_a_dependency_added_after_uv_lock_is_refused_before_anything_is_installed(
    install, uv
) -> None:
    lock = uv(PROJECT, "uv.lock", "lock")
    project = PROJECT.replace('"Alpha', '"sourceonly", "Alpha')
    run = install({"pyproject.toml": project, "uv.lock": lock})
    assert (run.status, run.reason, run.lock) == (1, "LockOutOfDate", None)
    assert "sourceonly (the project) is not in it" in run.message


def test_a_lock_of_a_project_without_dependencies_installs_nothing(install, uv) -> None:
    project = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
    run = install({"pyproject.toml": project, "uv.lock": uv(project, "uv.lock", "lock")})
    assert (run.status, run.files()) == (0, {})
    assert "warning" not in run.log


def test_a_pylock_is_installed_exactly(install, uv) -> None:
    arguments = ("pip", "compile", "pyproject.toml", "-o", "pylock.toml")
    lock = uv(PROJECT, "pylock.toml", *arguments)
    run = install({"pyproject.toml": PROJECT, "pylock.toml": lock})
    assert (run.status, run.lock) == (0, "alpha==0.9\nbeta==1.5\n")


def test_a_dependency_added_after_a_pylock_is_refused(install, uv) -> None:
    arguments = ("pip", "compile", "pyproject.toml", "-o", "pylock.toml")
    lock = uv(PROJECT, "pylock.toml", *arguments)
    project = PROJECT.replace('"Alpha', '"sourceonly", "Alpha')
    run = install({"pyproject.toml": project, "pylock.toml": lock})
    assert (run.status, run.reason, run.lock) == (1, "LockOutOfDate", None)


def test_a_lock_of_another_tool_is_refused_before_anything_is_installed(install) -> None:
    run = install({"pyproject.toml": PROJECT, "poetry.lock": ""})
    assert (run.status, run.reason, run.files()) == (1, "UnsupportedLock", {})


@pytest.mark.parametrize(
    "files", [{"requirements.txt": "# nothing\n"}, {"pyproject.toml": "[tool.ruff]\n"}]
)
def test_a_source_that_asks_for_nothing_is_built_without_a_warning(install, files) -> None:
    run = install({"main.py": "", **files})
    assert (run.status, run.log) == (0, "No packages are requested: nothing to install\n")


def test_a_file_that_is_not_read_is_named_where_nothing_is_installed(install) -> None:
    run = install({"main.py": "", "setup.py": "raise SystemExit('its code ran')"})
    assert run.status == 0
    assert run.log.startswith("setup.py is not read; if it names packages, list the packages in")
    assert "its code ran" not in run.log


def test_a_dependency_added_after_requirements_were_compiled_is_refused(install, uv) -> None:
    arguments = ("pip", "compile", "pyproject.toml", "-o", "requirements.txt")
    compiled = uv(PROJECT, "requirements.txt", *arguments)
    project = PROJECT.replace('"Alpha', '"sourceonly", "Alpha')
    run = install({"pyproject.toml": project, "requirements.txt": compiled})
    assert (run.status, run.reason, run.lock) == (1, "LockOutOfDate", None)


def test_compiled_requirements_are_installed_exactly(install, uv) -> None:
    arguments = ("pip", "compile", "pyproject.toml", "-o", "requirements.txt")
    compiled = uv(PROJECT, "requirements.txt", *arguments)
    run = install({"pyproject.toml": PROJECT, "requirements.txt": compiled})
    assert (run.status, run.lock) == (0, "alpha==0.9\nbeta==1.5\n")
