"""tests/README.md names every folder of tests with the make target that runs it."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib

import pytest

from tests.helpers.dev_overlay import REPOSITORY
from tests.unit.config.helpers.documents import cells, codes

TESTS = REPOSITORY / "tests"
TEXT = (TESTS / "README.md").read_text()
ROWS = [cells(line) for line in TEXT.splitlines() if re.match(r"\| `\w+/` \|", line)]
TARGETS = {codes(row[0])[0].rstrip("/"): codes(row[-1])[0] for row in ROWS}
MAKEFILES = [REPOSITORY / "Makefile", *REPOSITORY.glob("*/*.mk")]


def folders():
    return {path.name for path in TESTS.iterdir() if path.is_dir() and path.name[0] not in "._"}


def has_a_target(name):
    return any((TESTS / name).rglob("test_*.py")) or (TESTS / name / "__main__.py").exists()


def test_every_folder_of_tests_is_in_the_readme_with_its_target():
    assert {name for name in folders() if has_a_target(name)} == TARGETS.keys()
    assert all(f"`{name}/`" in TEXT for name in folders())


@pytest.mark.parametrize("folder", TARGETS)
def test_the_target_of_a_folder_exists_and_runs_it(folder):
    make, target = TARGETS[folder].split()
    assert make == "make"
    assert any(
        re.search(rf"^(?:\S+ )*{target}(?: \S+)*:.* ## ", file.read_text(), re.MULTILINE)
        for file in MAKEFILES
    )
    dry = subprocess.run(
        ["make", "--dry-run", target], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    scripts = re.findall(r"^testbed/\S+\.sh", dry.stdout, re.MULTILINE)
    commands = dry.stdout + "".join((REPOSITORY / script).read_text() for script in scripts)
    assert re.search(rf"tests[./]{folder}\b", commands)


def test_make_test_runs_every_level_that_needs_no_cluster():
    options = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["pytest"]
    levels = TARGETS.keys() - {"bench", "e2e"}
    assert set(options["ini_options"]["testpaths"]) == {f"tests/{name}" for name in levels}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("folder", sorted(folders()))
def test_what_is_imported_is_in_a_folder_of_helpers(folder):
    private = re.compile(r"tests\.(?:.*\.)?(?:conftest|test_\w+)$")
    files = (TESTS / folder).rglob("*.py")
    assert [
        (file.name, name) for file in files for name in imported(file) if private.match(name)
    ] == []


@pytest.mark.xdist_group("told")
def test_tests_that_share_a_server_are_sent_to_one_process(request):
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@told")
