"""Where code of packages may run, it finds no secret, no network and no way to stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambda_oci.folders import remove
from tests.attacks.helpers.packages import RAN
from tests.attacks.helpers.programs import is_alive
from tests.attacks.helpers.spies import SDIST, STAYS, spy, spying_project, spying_sdist
from tests.attacks.helpers.world import with_password
from tests.helpers import uv_locks as locks
from tests.helpers.package_indexes import python_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.attacks.helpers.world import World

    MakeWorld = Callable[..., World]

MAIN = {"main.py": "def handler(event): ..."}
ASKS = {**MAIN, "requirements.txt": "evil==1.0\n"}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


@pytest.fixture
def code(report: Path, tmp_path: Path) -> str:
    return spy(report, tmp_path, RAN)


def uv_lock(place: str, kind: str) -> dict[str, str]:
    """What the fault looked like: a lock that names a folder of the source to be built."""
    return {
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n'
        'dependencies = ["evil"]\n',
        "uv.lock": locks.uv_lock(
            "evil",
            version="1.0",
            source=f'{{ {kind} = "{place}" }}',
            required=f'{{ name = "evil", {kind} = "{place}" }}',
        ),
    }


@pytest.mark.parametrize("is_allowed", [False, True], ids=["wheels only", "source packages"])
@pytest.mark.parametrize(
    ("place", "kind"),
    [("../../source/sub", "editable"), ("sub", "directory")],
    ids=["editable", "directory"],
)
def test_a_lock_that_names_a_folder_of_the_source_runs_nothing_of_it(
    make_world: MakeWorld, report: Path, code: str, place: str, kind: str, *, is_allowed: bool
) -> None:
    world = make_world(allow_source_packages=is_allowed)
    sub = {f"sub/{name}": text for name, text in spying_project(code).items()}
    world.start({**MAIN, **uv_lock(place, kind), **sub})
    # The author's code does not even get there.
    assert world.files_of_context() == {"pyproject.toml", "uv.lock"}

    ended = world.run_job()

    assert (ended.exit_code, ended.reason) == (1, "PackageSourceRefused"), ended
    assert not report.exists()
    assert world.keys(f"own/packages/{world.function}/") == []
    assert world.leaks() == []


def test_without_leave_a_source_package_is_refused_and_does_not_run(
    make_world: MakeWorld, report: Path, code: str
) -> None:
    with python_index(more={SDIST: spying_sdist(code)}) as index:
        world = make_world(package_index_url=index)
        world.start(ASKS)
        ended = world.run_job()
    assert (ended.exit_code, ended.reason) == (1, "SourcePackageRefused"), ended
    assert not report.exists()


def test_what_a_source_package_does_while_it_is_built_reaches_nobody(
    make_world: MakeWorld, report: Path, code: str, tmp_path: Path
) -> None:
    """The whole way of the fault: it looks around, plants what others would run, and stays."""
    options, user, password = with_password()
    more = {SDIST: spying_sdist(code)}
    with python_index(credential=(user, password), more=more) as index:
        world = make_world(**options, package_index_url=index, allow_source_packages=True)
        world.canaries.add("password of the index", password)
        world.start(ASKS)
        ended = world.run_job()
    assert ended.exit_code == 0, ended

    found = json.loads(report.read_text())
    # It has run, it has planted, and it has found no network and no secret.
    assert found["planted"]
    assert found["sockets"] == []
    assert "PACKAGE_INDEX_URL" not in found["environment"]
    assert world.canaries.found_in({"what it found": report.read_text()}) == []
    # It does not stay.
    assert ended.left == []
    assert not is_alive(int((tmp_path / STAYS).read_text()))

    # publish reads what is left, once; and a job that is run again starts clean.
    report.unlink()
    complete = world.publish()
    assert complete is not None
    assert complete.digest is not None, complete
    assert not (tmp_path / RAN).exists()
    assert not report.exists()
    assert world.leaks() == []


_PLACES = """
import os, pathlib, shutil
home = pathlib.Path(os.environ["HOME"])
workspace = next(place for place in home.parents if (place / "source").is_dir())
packages = workspace / "packages"
def deep(place):
    os.chdir(place)
    for _ in range(2000):
        os.mkdir("d" * 50)
        os.chdir("d" * 50)
    os.chdir("/")
def closed(place):
    (place / "x/y").mkdir(parents=True)
    (place / "x/y/z.py").touch()
    (place / "x/y").chmod(0)
    (place / "x").chmod(0)
"""
# What code of a package does to its build -> how that may end; an exit code of 75 would say that
# building again could help.
TRAPS = {
    "deep folders beside the packages": ("deep(home)", {None}),
    "deep packages": ("deep(packages)", {"PackageBuildFailed", "UnsupportedFile"}),
    "closed folders beside the packages": ("closed(home)", {None}),
    "closed packages": ("closed(packages)", {"UnsupportedFile"}),
    "a closed file": (
        '(packages / "z.py").touch(); (packages / "z.py").chmod(0)', {"UnsupportedFile"},
    ),
    "a pipe": ('os.mkfifo(packages / "pipe.py")', {"UnsupportedFile"}),
    "packages that are a link": (
        'shutil.rmtree(packages); packages.symlink_to("{target}")', {None},
    ),
    "a lock that is a folder": ('(workspace / "lock.txt").mkdir()', {"PackageBuildFailed"}),
    "a result without end": (
        '(home.parent / "result.json").symlink_to("/dev/zero")', {None, "PackageBuildFailed"},
    ),
    "a very large file": (
        'os.truncate(os.open(packages / "a", os.O_CREAT | os.O_RDWR), 10**12)',
        {"PackagesTooLarge"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_what_code_of_a_package_leaves_for_its_build_is_told_as_its_own_fault(
    make_world: MakeWorld, tmp_path: Path, name: str
) -> None:
    trap, reasons = TRAPS[name]
    target = tmp_path / "target"
    target.mkdir()
    code = _PLACES + trap.replace("{target}", str(target))
    with python_index(more={SDIST: spying_sdist(code)}) as index:
        world = make_world(package_index_url=index, allow_source_packages=True)
        world.start(ASKS)
        ended = world.run_job()
    assert ended.reason in reasons, ended
    assert ended.exit_code == (0 if ended.reason is None else 1), ended
    # What runs after the code compiles nothing outside, and nothing is left of its step.
    assert not any(target.rglob("*.pyc"))
    workspace = tmp_path / "world-0/workspace"
    assert [each.name for each in workspace.glob("*/*/home")] == []
    assert world.told_leaks() == []
    remove(workspace)


def test_what_a_build_has_planted_is_not_executed_by_the_program_of_a_job(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """Not even where a Job is run again in the same folders, which no Pod does."""
    world = make_world()
    planted = f"import sys; open({str(tmp_path / RAN)!r}, 'a').write('x')\n"
    for place in ("workspace", "home", "tmp"):
        for name in (
            ".local/lib/python3.11/site-packages/evil.pth",
            "sitecustomize.py",
            "usercustomize.py",
            "lambda_builder/__init__.py",
            "json.py",
        ):
            file = tmp_path / "world-0" / place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(planted)
    with python_index() as index:
        world.options["package_index_url"] = index
        world.start({**MAIN, "requirements.txt": "beta==1.5\n"})
        ended = world.run_job()
    assert ended.exit_code == 0, ended
    assert not (tmp_path / RAN).exists()
