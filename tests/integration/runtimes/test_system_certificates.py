"""Behind a company's proxy: an index whose authority is in this machine's store alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.certificate_authority import Authority, make_authority
from tests.helpers.package_indexes import python_index
from tests.integration.runtimes.helpers.recipe_process import RUNTIMES, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORE = Path("/etc/ssl/certs/ca-certificates.crt")
SOURCE = {"main.py": "", "requirements.txt": "beta==1.5\n"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "files", "localhost")


@pytest.fixture(scope="module")
def index(authority: Authority) -> Iterator[str]:
    with python_index(authority) as url:
        yield url


@pytest.fixture
def on_company_machine(
    authority: Authority, require_server: Callable[[str, str], str], missing: Callable[[str], None]
) -> list[str]:
    """Starts a command where the machine's store has the authority, and nothing else."""
    bubblewrap = require_server("bwrap", "apt-get install bubblewrap")
    if not STORE.exists():
        missing(f"{STORE} is not on this machine: apt-get install ca-certificates")
    return [bubblewrap, "--dev-bind", "/", "/", "--bind", str(authority.certificate), str(STORE)]


def test_a_recipe_installs_from_it(index: str, on_company_machine: list[str], tmp_path: Path):
    run = run_recipe(
        "python", SOURCE, tmp_path / "run", inside=on_company_machine, PACKAGE_INDEX_URL=index
    )
    assert run.status == 0, run.log
    assert "beta/deep.py" in run.files()


def test_the_persons_own_setting_wins(index: str, on_company_machine: list[str], tmp_path: Path):
    settings = {"PACKAGE_INDEX_URL": index, "UV_SYSTEM_CERTS": "false", "UV_HTTP_RETRIES": "0"}
    run = run_recipe("python", SOURCE, tmp_path / "run", inside=on_company_machine, **settings)
    assert run.status != 0
    assert "UnknownIssuer" in run.log


def test_a_machine_without_a_store_installs_as_before(
    require_server: Callable[[str, str], str], tmp_path: Path
):
    bubblewrap = require_server("bwrap", "apt-get install bubblewrap")
    bare = [bubblewrap, "--dev-bind", "/", "/", "--tmpfs", "/etc/ssl", "--tmpfs", "/etc/pki"]
    bare = bare if Path("/etc/pki").is_dir() else bare[:-2]
    with python_index() as url:
        run = run_recipe("python", SOURCE, tmp_path / "run", inside=bare, PACKAGE_INDEX_URL=url)
    assert run.status == 0, run.log


def test_the_environment_of_the_runtime_installs_from_it(
    index: str, on_company_machine: list[str], tmp_path: Path
):
    """The lock asks for packages that this index does not have: it is reached, and says so."""
    done = subprocess.run(
        [*on_company_machine, sys.executable, "environment.py"],
        cwd=RUNTIMES / "python",
        env={
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "ENVIRONMENT_DIR": str(tmp_path / "environment"),
            "INTERPRETER": sys.executable,
            "UV_DEFAULT_INDEX": index,
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "was not found in the package registry" in done.stderr, done.stdout + done.stderr
