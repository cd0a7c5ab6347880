"""Programs of a build find this installation's packages, wherever a person installed them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from lambda_builder.own_interpreter import with_own_packages

COMMAND = ["-I", "-m", "lambda_builder.offline", "--", "echo", "was run"]
# As the platform starts the program, and as a program of a build starts the next one.
STARTS = f"""
import subprocess, sys
from lambda_builder.own_interpreter import with_own_packages
sys.exit(subprocess.run(with_own_packages([sys.executable, *{COMMAND}]), env={{}}).returncode)
"""


@pytest.fixture
def own_site(tmp_path):
    """Site-packages of a person, as `pip install --user` leaves it."""
    own_python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = tmp_path / "lib" / own_python / "site-packages"
    metadata = folder / "kn_lambda-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: kn-lambda\nVersion: 1.0\n")
    # What is installed here may be a checkout, as it may be there.
    installed = sysconfig.get_path("purelib")
    (folder / "own.pth").write_text(f"import site; site.addsitedir({installed!r})\n")
    return tmp_path


def run_by_person(code, own_site):
    """Run code by the interpreter without its virtual environment."""
    python = Path(sys.base_prefix) / "bin" / Path(sys._base_executable).name
    environment = {"PYTHONUSERBASE": str(own_site), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [python, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_an_isolated_program_is_found_in_a_persons_own_site_packages(own_site):
    ended = run_by_person(STARTS, own_site)

    assert (ended.returncode, ended.stdout) == (0, "was run\n"), ended.stderr


def test_what_an_isolated_program_starts_is_found_there_too(own_site):
    site = next(own_site.rglob("own.pth")).parent
    (site / "own_start.py").write_text(STARTS)

    ended = run_by_person(STARTS.replace("lambda_builder.offline", "own_start"), own_site)

    assert (ended.returncode, ended.stdout) == (0, "was run\n"), ended.stderr


def test_a_command_is_left_as_it_is_where_isolation_finds_the_packages():
    command = [sys.executable, *COMMAND]

    assert with_own_packages(command) == command
