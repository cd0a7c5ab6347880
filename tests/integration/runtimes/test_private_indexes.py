"""Builds from real indexes with a password: who is let in, and that nothing tells the password.

The whole program of a build Job runs with the shipped recipes; the servers are those of others.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.archives import gzipped, tar_bytes, tar_member
from tests.helpers.builder_programs import assert_failed, run
from tests.helpers.canaries import Canaries, files_below
from tests.integration.runtimes.helpers.private_indexes import (
    PASSWORD,
    PrivateIndex,
    pypiserver,
    verdaccio,
)
from tests.integration.runtimes.helpers.recipe_process import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.helpers.builder_programs import Ended

_LOOKS_EVERY_SECONDS = 0.005
WRONG = f"canary-wrong-{uuid.uuid4().hex}"


# One server of a kind for all tests, whichever process runs them.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(f"private index: {name}"))
        for name in ("pypiserver", "verdaccio")
    ],
)
def index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateIndex]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "pypiserver":
        with pypiserver(folder) as started:
            yield started
        return
    require_server: Callable[[str, str], str] = request.getfixturevalue("require_server")
    require_server("npm", "apt-get install npm")
    node = require_server("node", "apt-get install nodejs, version 18 or newer")
    packages: Callable[[str], Path] = request.getfixturevalue("packages")
    with verdaccio(node, packages("verdaccio"), folder) as started:
        yield started


@dataclass(frozen=True)
class Build:
    """What a build left, and what others could see of it."""

    ended: Ended
    folder: Path
    commands: set[str]
    requests: list[str]
    """What the index was asked for meanwhile."""

    def installed(self) -> set[str]:
        folders = (self.folder / "workspace" / name for name in ("packages", "node_modules"))
        return {
            str(file.relative_to(folder))
            for folder in folders
            for file in folder.rglob("*")
            if file.is_file()
        }

    def leaks(self) -> list[tuple[str, str]]:
        """Return where a password is, in whatever form."""
        canaries = Canaries({"the password": PASSWORD, "a wrong password": WRONG})
        said = {"log": self.ended.output + self.ended.errors, "message": str(self.ended.message)}
        commands = {f"command line {n}": line for n, line in enumerate(sorted(self.commands))}
        return canaries.found_in({**said, **commands, **files_below(self.folder)})


def build(index: PrivateIndex, files: dict[str, str], folder: Path, **settings: str) -> Build:
    content = gzipped(tar_bytes(*(tar_member(name, text.encode()) for name, text in files.items())))
    (folder / "context.tar.gz").write_bytes(content)
    asked_before = len(index.requests())
    values = {
        "CONTEXT_URL": f"file://{folder}/context.tar.gz",
        "CONTEXT_SHA256": hashlib.sha256(content).hexdigest(),
        "CONTEXT_MAX_BYTES": "100000",
        "SOURCE_MAX_BYTES": "100000",
        "SOURCE_MAX_FILES": "100",
        "RUNTIME": index.runtime,
        "RUNTIMES_DIR": str(RUNTIMES),
        "BUILD_TIMEOUT_SECONDS": "100",
        "RESULT_URL": f"file://{folder}/results/result",
        "RESULT_MAX_BYTES": "1000000",
        # No index, and no password, of whoever runs the tests.
        "HOME": str(folder),
        **settings,
    }
    with command_lines() as commands:
        ended = run("packages", folder, values)
    return Build(ended, folder, commands, index.requests()[asked_before:])


@contextlib.contextmanager
def command_lines() -> Iterator[set[str]]:
    """Those of all processes that start meanwhile, of whomever, as far as one can look."""
    seen: set[str] = set()
    is_over = threading.Event()
    known = set(Path("/proc").glob("[0-9]*"))

    def look() -> None:
        while not is_over.wait(_LOOKS_EVERY_SECONDS):
            for process in set(Path("/proc").glob("[0-9]*")) - known:
                with contextlib.suppress(OSError):
                    content = (process / "cmdline").read_bytes()
                    seen.add(content.replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def test_packages_come_from_it_and_its_password_is_in_nothing_that_is_left(
    index: PrivateIndex, tmp_path: Path
) -> None:
    made = build(index, index.source, tmp_path, **index.settings())
    assert made.ended.exit_code == 0, made.ended
    assert made.installed() >= index.installed
    assert (tmp_path / "results" / "result").stat().st_size > 0
    assert any("install" in line and str(tmp_path) in line for line in made.commands)
    assert made.leaks() == []


def test_packages_of_a_public_lock_come_from_it_where_its_address_has_the_password(
    index: PrivateIndex, tmp_path: Path
) -> None:
    settings = index.address() | {"REQUIRE_HASHES": "true"}
    made = build(index, index.locked, tmp_path, **settings)
    assert (made.ended.exit_code, made.ended.message) == (0, {"pinned": True}), made.ended
    assert made.requests
    assert made.leaks() == []


@pytest.mark.parametrize(
    ("password", "kind"),
    [(WRONG, "source"), (WRONG, "locked"), (None, "source")],
    ids=["wrong", "wrong, for a lock", "none"],
)
def test_without_its_password_the_platform_is_told_what_the_index_says(
    index: PrivateIndex, tmp_path: Path, password: str | None, kind: str
) -> None:
    made = build(index, getattr(index, kind), tmp_path, **index.settings(password))
    message = assert_failed(made.ended, 75, "PackageIndexUnavailable")
    assert (index.refusal if password else "401") in message
    # It is asked for the one package, and not again until something else gives up.
    assert len(made.requests) == 1
    assert made.leaks() == []


def test_a_package_that_it_does_not_have_is_the_authors_mistake(
    index: PrivateIndex, tmp_path: Path
) -> None:
    made = build(index, index.missing, tmp_path, **index.address())
    assert "gone" in assert_failed(made.ended, 1, "RequirementNotFound")
    assert made.leaks() == []
