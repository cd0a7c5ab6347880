"""Scripts, scopes and locks with an index that has a password; test_private_indexes.py for more."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.helpers.node_registry import Server, integrity, serving
from tests.integration.runtimes.helpers.recipe_process import RUNTIMES, run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

USER, PASSWORD = "reader", "canary-p/ss:w@rd"
ENCODED = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
AUTHORIZATION = f"Basic {ENCODED}"
# All of its forms that a program could write.
CANARIES = (PASSWORD, "canary-p%2Fss%3Aw%40rd", ENCODED)
SOURCE = json.dumps({"name": "f", "version": "1.0.0", "dependencies": {"alpha": "*"}})

# What a package that means no good would look at.
SCRIPT = "env > seen; cat /proc/$PPID/environ >> seen"


@pytest.fixture
def index(require_server: Callable[[str, str], str]) -> Iterator[Server]:
    require_server("npm", "apt-get install npm")
    with serving(path="/private/npm") as server:
        server.publish({"name": "alpha", "version": "1.0.0", "scripts": {"install": SCRIPT}})
        server.authorization = AUTHORIZATION
        yield server


def left_in(folder: Path) -> list[str]:
    """Files that have the credential in one of its forms."""
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(canary.encode() in path.read_bytes() for canary in CANARIES)
    ]


def test_a_script_of_a_package_finds_no_password(index: Server, tmp_path: Path) -> None:
    settings = {"PACKAGE_INDEX_USERNAME": USER, "PACKAGE_INDEX_PASSWORD": PASSWORD}
    run = run_recipe(
        "nodejs",
        {"package.json": SOURCE},
        tmp_path,
        PACKAGE_INDEX_URL=index.url,
        ALLOW_SOURCE_PACKAGES="true",
        **settings,
    )
    assert run.status == 0, run.log
    seen = (run.packages / "alpha" / "seen").read_text(errors="replace")
    assert "PATH=" in seen
    assert left_in(tmp_path) == []


def test_scripts_run_in_the_step_that_a_builder_has_for_them(
    index: Server, tmp_path: Path, require_server: Callable[[str, str], str]
) -> None:
    unshare = [require_server("unshare", "apt-get install util-linux"), "--net", "--map-root-user"]
    settings = {"PACKAGE_INDEX_USERNAME": USER, "PACKAGE_INDEX_PASSWORD": PASSWORD}
    run = run_recipe(
        "nodejs",
        {"package.json": SOURCE},
        tmp_path,
        PACKAGE_INDEX_URL=index.url,
        ALLOW_SOURCE_PACKAGES="true",
        DOWNLOADS_DIR=str(tmp_path / "downloads"),
        **settings,
    )
    assert (run.status, "alpha/seen" in run.files()) == (0, False), run.log
    (tmp_path / "scratch").mkdir()
    process = subprocess.run(
        [*unshare, sys.executable, "source_recipe.py"],
        cwd=RUNTIMES / "nodejs",
        env={
            "PATH": f"{os.defpath}:/usr/local/bin",
            "PACKAGES_DIR": str(run.packages),
            "TMPDIR": str(tmp_path / "scratch"),
            "HOME": str(tmp_path / "scratch"),
            "RESULT_FILE": str(tmp_path / "built.json"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted(run.files()) == ["alpha/index.js", "alpha/package.json", "alpha/seen"]
    assert left_in(tmp_path) == []


def test_the_owner_s_own_settings_of_npm_reach_registries_of_scopes(
    index: Server, tmp_path: Path
) -> None:
    with serving() as other:
        other.publish({"name": "@corp/beta", "version": "1.0.0"})
        other.authorization = "Bearer canary-token"
        index.authorization = None
        host = other.url.removeprefix("http:")
        (tmp_path / "owner").mkdir()
        settings = tmp_path / "owner" / "npmrc"
        settings.write_text(
            f"registry={index.url}\n@corp:registry={other.url}\n{host}/:_authToken=${{TOKEN}}\n"
        )
        source = {"name": "f", "dependencies": {"alpha": "*", "@corp/beta": "*"}}
        run = run_recipe(
            "nodejs",
            {"package.json": json.dumps(source)},
            tmp_path / "run",
            npm_config_userconfig=str(settings),
            TOKEN="canary-token",
        )
        assert run.status == 0, run.log
        assert {"@corp/beta/package.json", "alpha/package.json"} <= set(run.files())
        assert {authorization for _, authorization in index.requests} == {None}
        assert "canary-token" not in run.log + (run.lock or "")


def locked(server: Server, *algorithms: str) -> dict[str, object]:
    content = server.files["/alpha/-/alpha-1.0.0.tgz"]
    package: dict[str, object] = {"version": "1.0.0"}
    if algorithms:
        package["integrity"] = " ".join(integrity(content, each) for each in algorithms)
    return {
        "lockfileVersion": 3,
        "packages": {"": json.loads(SOURCE), "node_modules/alpha": package},
    }


@pytest.mark.parametrize("algorithms", [("sha1", "sha384"), ("sha256",)])
def test_with_a_hash_for_every_package_the_result_is_pinned(
    index: Server, tmp_path: Path, algorithms: tuple[str, ...]
) -> None:
    index.authorization = None
    files = {"package.json": SOURCE, "package-lock.json": json.dumps(locked(index, *algorithms))}
    settings = {"PACKAGE_INDEX_URL": index.url, "REQUIRE_HASHES": "true"}
    run = run_recipe("nodejs", files, tmp_path, **settings)
    assert run.status == 0, run.log
    assert json.loads((tmp_path / "result.json").read_text()) == {"pinned": True}


@pytest.mark.parametrize("algorithms", [(), ("sha1",)])
def test_without_hashes_the_result_is_not_pinned_and_may_be_refused(
    index: Server, tmp_path: Path, algorithms: tuple[str, ...]
) -> None:
    index.authorization = None
    files = {"package.json": SOURCE, "package-lock.json": json.dumps(locked(index, *algorithms))}
    settings = {"PACKAGE_INDEX_URL": index.url}
    run = run_recipe("nodejs", files, tmp_path / "laxer", **settings)
    assert (run.status, (tmp_path / "laxer" / "result.json").exists()) == (0, False)
    run = run_recipe("nodejs", files, tmp_path / "strict", REQUIRE_HASHES="true", **settings)
    assert (run.status, run.reason) == (1, "HashesRequired")
    assert run.message.startswith("package-lock.json: node_modules/alpha has no integrity")


def test_where_hashes_are_required_a_package_json_needs_a_lock(
    index: Server, tmp_path: Path
) -> None:
    settings = {"PACKAGE_INDEX_URL": index.url, "REQUIRE_HASHES": "true"}
    run = run_recipe("nodejs", {"package.json": SOURCE}, tmp_path, **settings)
    assert (run.status, run.reason, index.requests) == (1, "HashesRequired", [])
    assert "alpha" in run.message
