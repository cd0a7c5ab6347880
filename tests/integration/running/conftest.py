"""One data folder for all tests, so that runtimes are prepared once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.workspaces import write_files
from tests.integration.running.helpers.run_process import RunProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def shared(home: Path, tmp_path_factory) -> Iterator[RunProcess]:
    """One run for tests that save what they need with `serves`."""
    folder = tmp_path_factory.mktemp("shared")
    write_files(folder / "hello", {"main.py": "def handler(event): ...\n"})
    run = RunProcess(home, folder / "hello", folder, {}).start().ready()
    yield run
    run.end()


@pytest.fixture
def running(home: Path, tmp_path: Path) -> Iterator[Callable[..., RunProcess]]:
    """`running({"main.py": "..."}, "-e", "A=1")` starts a run, which ends with the test."""
    started = []

    def run(files: dict[str, str], *options: str, **variables: str) -> RunProcess:
        folder = write_files(tmp_path / "hello", files)
        scratch = tmp_path / f"run-{len(started)}"
        scratch.mkdir()
        run = RunProcess(home, folder, scratch, variables)
        started.append(run)
        return run.start(*options)

    yield run
    for each in started:
        each.end()
