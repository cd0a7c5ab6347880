"""The wheel, installed as a stranger does: no checkout, nothing writable, spaces in every path."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from distribution.trial import Trial
from tests.embedded.helpers.running_platform import CHECKOUT

_NEWER = ("3.12", "3.13", "3.14")


def newer_interpreters() -> list[str]:
    """Those of this machine that run: a version manager's shim may lead nowhere."""
    found = []
    for version in _NEWER:
        name = f"python{version}"
        on_path = [shutil.which(name)] if shutil.which(name) else []
        managed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
        for program in map(str, [*on_path, *managed]):
            command = [program, "-c", "import venv"]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                found.append(program)
                break
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "distribution.build", "--into", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def trial(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """It is installed for the Python that runs the tests."""
    made = Trial(tmp_path_factory.mktemp("own") / "for ï")
    made.install(wheel, sys.executable)
    return made


@pytest.mark.xdist_group("wheel")
def test_it_runs_the_demo_and_writes_nothing_beside_itself(trial: Trial):
    before = sorted(trial.environment.rglob("*"))

    response = trial.run("demo").splitlines()[-1]

    assert json.loads(response) == {"message": "Hello, Ada!"}
    assert sorted(trial.environment.rglob("*")) == before
    assert list((trial.folder / "tmp é").iterdir()) == []


@pytest.mark.xdist_group("wheel")
def test_it_makes_functions(trial: Trial):
    assert_it_makes_functions(trial)


@pytest.mark.xdist_group("wheel")
@pytest.mark.parametrize("python", newer_interpreters() or [sys.executable])
def test_it_makes_functions_with_newer_pythons_of_this_machine(
    python: str, wheel: Path, tmp_path: Path
):
    trial = Trial(tmp_path / "for ï")
    trial.install(wheel, python)
    assert_it_makes_functions(trial)


def assert_it_makes_functions(trial: Trial) -> None:
    assert trial.run("version").startswith("kn-lambda ")
    assert trial.run("init", "my hello/hello", "-o", "name").strip() == "my hello/hello"
    made = {file.name for file in (trial.work / "my hello" / "hello").iterdir()}
    assert made >= {"main.py", "function.yaml"}
    assert "__pycache__" not in made
