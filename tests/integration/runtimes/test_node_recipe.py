"""The Node.js recipe against a registry of this test's own."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.helpers.package_indexes import node_index
from tests.integration.runtimes.helpers.recipe_process import RecipeRun, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., RecipeRun]


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with node_index() as url:
        yield url


@pytest.fixture
def install(index: str, tmp_path: Path, require_server: Callable[[str, str], str]) -> Install:
    require_server("npm", "apt-get install npm")
    runs = iter(range(10))

    def install_from_index(files: dict[str, object], **settings: str) -> RecipeRun:
        texts = {
            name: content if isinstance(content, str) else json.dumps(content)
            for name, content in files.items()
        }
        settings = {"PACKAGE_INDEX_URL": index, **settings}
        return run_recipe("nodejs", texts, tmp_path / f"run{next(runs)}", **settings)

    return install_from_index


def package(**dependencies: str) -> dict[str, object]:
    return {"package.json": {"name": "f", "version": "1.0.0", "dependencies": dependencies}}


@pytest.mark.parametrize("files", [{"index.js": ""}, package()])
def test_a_source_without_dependencies_gets_no_packages(
    install: Install, files: dict[str, object]
) -> None:
    run = install(files)
    assert (run.status, run.files(), run.lock) == (0, {}, None)


def test_peers_that_a_source_asks_for_alone_are_installed_as_npm_does(install: Install) -> None:
    files = {"package.json": {"name": "f", "version": "1.0.0", "peerDependencies": {"alpha": "*"}}}
    run = install(files)
    assert run.status == 0, run.log
    assert (run.packages / "alpha" / "package.json").is_file()


def test_dependencies_are_installed_and_locked_without_addresses(install: Install) -> None:
    run = install(package(alpha="^1.0.0"))
    assert (run.status, run.lock is not None) == (0, True)
    assert sorted(run.files()) == ["alpha/index.js", "alpha/package.json"]
    locked = json.loads(run.lock or "")["packages"]["node_modules/alpha"]
    assert locked["version"] == "1.2.3"
    assert locked["integrity"].startswith("sha512-")
    assert "127.0.0.1" not in (run.lock or "")


def test_install_scripts_do_not_run_and_are_named(install: Install) -> None:
    run = install(package(alpha="*"))
    assert "alpha/ran" not in run.files()
    assert "alpha: its install script was not run" in run.log


def test_install_scripts_run_where_they_are_allowed(install: Install) -> None:
    run = install(package(alpha="*"), ALLOW_SOURCE_PACKAGES="true")
    assert "alpha/ran" in run.files()


def test_a_lock_is_honoured_and_gives_the_same_bytes(install: Install) -> None:
    first = install(package(alpha="*"))
    again = install({**package(alpha="*"), "package-lock.json": first.lock or ""})
    assert again.status == 0
    assert (again.lock, again.files()) == (first.lock, first.files())


def test_a_lock_whose_hash_differs_is_refused(install: Install) -> None:
    lock = json.loads(install(package(alpha="*")).lock or "")
    lock["packages"]["node_modules/alpha"]["integrity"] = f"sha512-{'A' * 86}=="
    run = install({**package(alpha="*"), "package-lock.json": lock})
    assert (run.status, run.reason) == (1, "RequirementHashMismatch")


@pytest.mark.parametrize("dependencies", [{"no-such-package": "1"}, {"alpha": "7.0.0"}])
def test_a_missing_dependency_is_named(install: Install, dependencies: dict[str, str]) -> None:
    run = install(package(**dependencies))
    assert (run.status, run.reason) == (1, "RequirementNotFound")
    assert next(iter(dependencies)) in run.message


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "{"},
        {"package.json": "[]"},
        {"package.json": {"dependencies": ["alpha"]}},
        {**package(alpha="*"), "package-lock.json": {"packages": ["alpha"]}},
        {"package.json": '{"dependencies": {"alpha": ' + "[" * 900 + "]" * 900 + "}}"},
        {"package.json": '{"dependencies": {"alpha": ' + "[" * 100_000},
        {"package.json": '{"dependencies": {"alpha": ' + "9" * 5000 + "}}"},
        {"package.json": {"dependencies": {"alpha": 1}}},
        {"package.json": {"dependencies": {"alpha\ud800": "*"}}},
        {"package.json": {"dependencies": {"alpha": "*"}, "description": " " * 1024 * 1024}},
        {**package(alpha="*"), "package-lock.json": '{"a": ' + "[" * 900 + "]" * 900 + "}"},
        {**package(alpha="*"), "package-lock.json": '{"a": 1e400}'},
        {**package(alpha="*"), "package-lock.json": {"packages": {"x": {"resolved": [1]}}}},
        {**package(alpha="*"), "package-lock.json": " " * 16 * 1024 * 1024 + "{}"},
    ],
    ids=[
        "no-json", "no-object", "no-names", "lock-list",
        "deep-wish", "deeper-wish", "long-number", "number-for-a-version", "no-unicode",
        "large", "deep-lock", "infinite-number", "no-address", "large-lock",
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(install: Install, files: dict[str, object]) -> None:
    run = install(files)
    assert (run.status, run.reason) == (1, "InvalidRequirements")
    assert run.message.startswith(("package.json", "package-lock.json"))
    assert len(run.message) < 300


def test_names_of_any_length_are_told_shortly(install: Install) -> None:
    run = install({"package.json": {"dependencies": {"a" * 100_000: "file:x"}}})
    assert (run.status, run.reason) == (1, "PackageSourceRefused")
    assert len(run.message) < 400


def test_settings_of_npm_in_the_source_have_no_say(install: Install) -> None:
    assert install({**package(alpha="*"), ".npmrc": "registry=http://127.0.0.1:9/\n"}).status == 0


def test_an_index_that_does_not_answer_may_work_later(install: Install) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://someone:password-1@127.0.0.1:{closed.getsockname()[1]}/npm"
    run = install(package(alpha="*"), PACKAGE_INDEX_URL=url)
    assert (run.status, run.reason) == (75, "PackageIndexUnavailable")
    assert "password-1" not in run.log + run.message
