"""The Python recipe against an index of this test's own."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.package_indexes import PYTHON_FILES, python_index
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with python_index() as url:
        yield url


@pytest.fixture
def install(index: str, tmp_path: Path) -> Install:
    """Installs from `index`; a new place each time."""
    runs = iter(range(10))

    def install_from_index(files: dict[str, str], **settings: str) -> RecipeRun:
        settings = {"PACKAGE_INDEX_URL": index, **settings}
        return run_recipe("python", files, tmp_path / f"run{next(runs)}", **settings)

    return install_from_index


def requirements(text: str) -> dict[str, str]:
    return {"main.py": "", "requirements.txt": text}


@pytest.mark.parametrize("files", [{"main.py": ""}, requirements("# nothing\n")])
def test_a_source_without_requirements_gets_no_packages(
    install: Install, files: dict[str, str]
) -> None:
    run = install(files)
    assert (run.status, run.files(), run.lock) == (0, {}, None)


def test_requirements_and_what_they_require_are_installed_and_locked(install: Install) -> None:
    run = install(requirements("alpha\n"))
    assert run.status == 0
    assert run.lock == "alpha==1.0\nbeta==1.5\n"
    script = "import alpha, beta.deep; print(beta.deep.NAME)"
    environment = {"PYTHONPATH": str(run.packages)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_the_log_does_not_show_where_the_machine_has_its_interpreter(install: Install) -> None:
    run = install({"requirements.txt": "beta==1.5\n"})
    assert run.status == 0
    assert sys.prefix not in run.log


def test_the_same_requirements_give_the_same_bytes(install: Install) -> None:
    first, second = (install(requirements("alpha\n")) for _ in range(2))
    assert first.files() == second.files()
    # Neither console scripts with the path of an interpreter nor the installer's lock; bytecode
    # is made after the recipe, for all folders alike.
    assert not [name for name in first.files() if name.startswith(("bin/", ".lock"))]
    assert not [name for name in first.files() if name.endswith(".pyc")]


def test_pinned_versions_includes_and_constraints_are_honoured(install: Install) -> None:
    files = {
        "requirements.txt": "-r more/base.txt\n-c limits.txt\n",
        "more/base.txt": "alpha\n",
        "limits.txt": "alpha<1\n",
    }
    assert install(files).lock == "alpha==0.9\n"


def test_hashes_are_checked(install: Install) -> None:
    import hashlib  # noqa: PLC0415

    digest = hashlib.sha256(PYTHON_FILES["beta-1.5-py3-none-any.whl"]).hexdigest()
    assert install(requirements(f"beta==1.5 --hash=sha256:{digest}\n")).status == 0
    run = install(requirements(f"beta==1.5 --hash=sha256:{'0' * 64}\n"))
    assert (run.status, run.reason) == (1, "RequirementHashMismatch")


def test_the_dependencies_of_a_pyproject_are_installed(install: Install) -> None:
    pyproject = '[project]\nname = "x"\nversion = "1"\ndependencies = ["beta>=1"]\n'
    assert install({"pyproject.toml": pyproject}).lock == "beta==1.5\n"


@pytest.mark.parametrize(
    "pyproject",
    [
        '[project]\nname = "x"\ndynamic = ["dependencies"]\n',
        '[tool.poetry.dependencies]\nbeta = "^1"\n',
        "[project\n",
        '[project]\ndependencies = "beta"\n',
    ],
    ids=["dynamic", "poetry", "no-toml", "no-list"],
)
def test_a_pyproject_that_cannot_be_read_is_refused(install: Install, pyproject: str) -> None:
    run = install({"pyproject.toml": pyproject})
    assert (run.status, run.reason) == (1, "InvalidRequirements")


@pytest.mark.parametrize("requirement", ["no-such-package", "alpha==7.0"])
def test_a_missing_requirement_is_named(install: Install, requirement: str) -> None:
    run = install(requirements(f"{requirement}\n"))
    assert (run.status, run.reason) == (1, "RequirementNotFound")
    assert requirement.partition("==")[0] in run.message
    assert run.message.splitlines()[0] in run.log


def test_requirements_that_exclude_each_other_are_a_conflict(install: Install) -> None:
    run = install(requirements("alpha==1.0\nbeta<1\n"))
    assert run.status == 1
    assert run.reason in ("RequirementsConflict", "RequirementNotFound")


def test_source_packages_are_refused_and_their_code_does_not_run(install: Install) -> None:
    run = install(requirements("sourceonly\n"))
    assert (run.status, run.reason) == (1, "SourcePackageRefused")
    assert "wheels" in run.message
    assert "code of the package ran" not in run.log


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("alpha ==", "InvalidRequirements"),
        ("--index-url=https://example.com/simple", "PackageIndexNotAllowed"),
        ("--extra-index-url https://example.com/simple", "PackageIndexNotAllowed"),
        ("--find-links /tmp", "PackageIndexNotAllowed"),
        ("-i https://example.com", "PackageIndexNotAllowed"),
        ("-e .", "InvalidRequirements"),
        ("-r ../../outside.txt", "InvalidRequirements"),
        ("-r /etc/hostname", "InvalidRequirements"),
        ("-c missing.txt", "InvalidRequirements"),
        ("alpha @ file:///etc/hostname", "InvalidRequirements"),
        ("./local", "InvalidRequirements"),
        ("https://${HOME}/alpha.whl", "InvalidRequirements"),
    ],
)
def test_a_line_that_cannot_work_is_refused(install: Install, line: str, reason: str) -> None:
    run = install(requirements(f"beta\n{line}\n"))
    assert (run.status, run.reason, run.lock) == (1, reason, None)


def test_settings_of_uv_in_the_source_have_no_say(install: Install) -> None:
    files = requirements("beta\n") | {"uv.toml": "offline = true\n"}
    assert install(files).status == 0


def test_an_index_that_does_not_answer_may_work_later(install: Install) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://someone:password-1@127.0.0.1:{closed.getsockname()[1]}/simple"
    run = install(requirements("alpha\n"), PACKAGE_INDEX_URL=url, UV_HTTP_RETRIES="0")
    assert (run.status, run.reason) == (75, "PackageIndexUnavailable")
    assert "password-1" not in run.log + run.message


def test_another_version_of_python_gets_its_own_packages(install: Install) -> None:
    run = install(requirements("alpha\n"), RUNTIME_VERSION="3.14")
    assert run.status == 0
    assert run.lock == "alpha==1.0\nbeta==1.5\n"
