"""Packages of git: only where the operator allows them, by full commit, and none of their code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.certificate_authority import Authority, make_authority
from tests.integration.runtimes.helpers.git_server import git_server, make_repository
from tests.integration.runtimes.helpers.node_registry import serving
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[[str, list[str]], RecipeRun]

PACKAGE = {
    "name": "x",
    "version": "1.0.0",
    "scripts": dict.fromkeys(("prepare", "install", "prepack", "preinstall"), "touch ran"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "files", "localhost")


@pytest.fixture(scope="module")
def repositories(
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
    require_server: Callable[[str, str], str],
) -> Iterator[tuple[str, str]]:
    """Address of a repository without its suffix, and its commit."""
    require_server("git", "apt-get install git")
    root = tmp_path_factory.mktemp("repositories")
    files = {"package.json": json.dumps(PACKAGE), "index.js": ""}
    commit = make_repository(root / "owner" / "x.git", files)
    with git_server(root, authority) as url:
        yield f"{url}/owner/x", commit


@pytest.fixture
def install(
    authority: Authority, tmp_path: Path, require_server: Callable[[str, str], str]
) -> Iterator[Install]:
    require_server("npm", "apt-get install npm")
    with serving() as index:

        def install_from_git(wanted: str, prefixes: list[str]) -> RecipeRun:
            source = {"name": "f", "dependencies": {"x": wanted}}
            return run_recipe(
                "nodejs",
                {"package.json": json.dumps(source)},
                tmp_path,
                PACKAGE_INDEX_URL=index.url,
                NODE_EXTRA_CA_CERTS=str(authority.certificate),
                ALLOW_GIT_PACKAGES="true",
                PACKAGE_URL_PREFIXES=json.dumps(prefixes),
            )

        yield install_from_git


def test_a_commit_below_an_allowed_prefix_is_installed_and_its_scripts_do_not_run(
    install: Install, repositories: tuple[str, str]
) -> None:
    address, commit = repositories
    run = install(f"git+{address}.git#{commit}", [address.removesuffix("/x")])
    assert run.status == 0, run.log
    assert sorted(run.files()) == ["x/index.js", "x/package.json"]
    assert f"git+{address}#{commit}" in (run.lock or "")


def test_a_branch_is_refused(install: Install, repositories: tuple[str, str]) -> None:
    run = install(f"git+{repositories[0]}.git#master", [repositories[0]])
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert "names no full commit" in run.message


def test_a_repository_beside_the_prefix_is_refused(
    install: Install, repositories: tuple[str, str]
) -> None:
    address, commit = repositories
    run = install(f"git+{address}.git#{commit}", [f"{address}/y"])
    assert (run.status, run.reason) == (1, "PackageSourceRefused")


def test_a_commit_that_does_not_exist_is_the_author_s(
    install: Install, repositories: tuple[str, str]
) -> None:
    run = install(f"git+{repositories[0]}.git#{'0' * 40}", [repositories[0]])
    assert (run.status, run.reason) == (1, "PackageSourceUnavailable"), run.log
