"""A lock decides what npm installs, or the build ends and names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.package_indexes import node_index
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]

OURS = ["package-lock.json", "npm-shrinkwrap.json"]
FOREIGN = ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"]


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with node_index() as url:
        yield url


@pytest.fixture
def install(index: str, tmp_path: Path, require_server: Callable[[str, str], str]) -> Install:
    require_server("npm", "apt-get install npm")

    def install_from_index(files: dict[str, object]) -> RecipeRun:
        texts = {
            name: content if isinstance(content, str) else json.dumps(content)
            for name, content in files.items()
        }
        return run_recipe("nodejs", texts, tmp_path, PACKAGE_INDEX_URL=index)

    return install_from_index


def manifest(**fields: object) -> dict[str, object]:
    return {"name": "f", "version": "1.0.0", "dependencies": {"alpha": "^1.0.0"}, **fields}


def lock_of(package: dict[str, Any], **versions: str) -> dict[str, object]:
    """A lock of package.json with these packages."""
    locked = {f"node_modules/{name}": {"version": number} for name, number in versions.items()}
    return {"name": "f", "lockfileVersion": 3, "packages": {"": package, **locked}}


def installed(run: RecipeRun) -> dict[str, str]:
    packages = json.loads(run.lock or "{}").get("packages", {})
    return {
        name.removeprefix("node_modules/"): package["version"]
        for name, package in packages.items()
        if name
    }


@pytest.mark.parametrize("name", OURS)
def test_the_version_of_a_lock_is_installed_and_not_the_newest(install: Install, name: str) -> None:
    run = install({"package.json": manifest(), name: lock_of(manifest(), alpha="1.2.2")})
    assert (run.status, installed(run)) == (0, {"alpha": "1.2.2"})
    assert (run.packages / "alpha" / "index.js").is_file()


def test_a_shrinkwrap_goes_before_a_package_lock_as_npm_has_it(install: Install) -> None:
    locks = {
        "npm-shrinkwrap.json": lock_of(manifest(), alpha="1.2.2"),
        "package-lock.json": lock_of(manifest(), alpha="1.2.3"),
    }
    run = install({"package.json": manifest(), **locks})
    assert (run.status, installed(run)) == (0, {"alpha": "1.2.2"})
    assert "Installing from npm-shrinkwrap.json; not read: package-lock.json\n" in run.log


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "changed",
    [
        {"dependencies": {"alpha": "^1.0.0", "beta": "^1.0.0"}},
        {"dependencies": {"alpha": "^1.2.3"}},
        {"optionalDependencies": {"beta": "^1.0.0"}},
        {"devDependencies": {"beta": "^1.0.0"}},
    ],
    ids=["added", "other-range", "added-optional", "added-for-development"],
)
def test_a_package_json_that_changed_after_its_lock_is_refused(
    install: Install, name: str, changed: dict[str, object]
) -> None:
    lock = lock_of(manifest(), alpha="1.2.2")
    run = install({"package.json": manifest(**changed), name: lock})
    assert (run.status, run.reason, run.files()) == (1, "LockOutOfDate", {})
    assert run.message.startswith("the lock is older than package.json: ")
    assert "Usage" not in run.message


def test_what_package_json_no_longer_asks_for_is_not_installed(install: Install) -> None:
    both = manifest(dependencies={"alpha": "^1.0.0", "beta": "^1.0.0"})
    lock = lock_of(both, alpha="1.2.2", beta="1.2.2")
    run = install({"package.json": manifest(), "package-lock.json": lock})
    assert (run.status, sorted(run.files())) == (0, ["alpha/index.js", "alpha/package.json"])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_lock_of_another_tool_is_refused_by_name(install: Install, name: str) -> None:
    run = install({"package.json": manifest(), name: ""})
    assert (run.status, run.reason, run.files()) == (1, "UnsupportedLock", {})
    assert run.message.startswith(f"{name} is not read")
    assert "npm install --package-lock-only" in run.message


def test_a_lock_of_another_tool_beside_one_of_npm_is_named_in_the_log(install: Install) -> None:
    lock = lock_of(manifest(), alpha="1.2.2")
    run = install({"package.json": manifest(), "package-lock.json": lock, "yarn.lock": ""})
    assert (run.status, installed(run)) == (0, {"alpha": "1.2.2"})
    assert "Installing from package-lock.json; not read: yarn.lock\n" in run.log


@pytest.mark.parametrize("name", OURS + FOREIGN)
def test_a_lock_without_its_package_json_is_refused(install: Install, name: str) -> None:
    run = install({"index.js": "", name: "{}"})
    assert (run.status, run.reason) == (1, "InvalidRequirements")
    assert name in run.message


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "lock",
    ["{", "[]", {"packages": ["alpha"]}],
    ids=["no-json", "no-object", "list"],
)
def test_a_lock_that_cannot_work_is_refused(install: Install, name: str, lock: object) -> None:
    run = install({"package.json": manifest(), name: lock})
    assert (run.status, run.reason) == (1, "InvalidRequirements")


@pytest.mark.parametrize("name", OURS)
def test_a_lock_of_a_workspace_is_refused(install: Install, name: str) -> None:
    run = install({"package.json": manifest(), name: {"packages": {"x": {"link": True}}}})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert run.message == f"{name}: 'x' is a local package; packages come from the index"
