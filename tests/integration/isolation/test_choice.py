"""Which isolation a platform chooses, and what it reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_sandbox.isolation import (
    BubblewrapIsolation,
    SupervisorIsolation,
    choose_isolation,
    hidden_places,
)
from tests.integration.helpers.isolation import MACHINE


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def choose(tmp_path: Path):
    async def choose(machine: dict[str, str], *, sandbox: bool = True):
        lines: list[str] = []
        isolation = await choose_isolation(
            tmp_path, machine, sandbox=sandbox, progress=lines.append
        )
        return isolation, lines

    return choose


async def test_bubblewrap_is_taken_where_it_works_and_what_it_hides_is_told(choose, bubblewrap):
    isolation, (line,) = await choose(MACHINE)
    assert isinstance(isolation, BubblewrapIsolation)
    assert "they do not see your home" in line


async def test_where_it_is_missing_the_supervisor_is_taken_and_the_way_out_told(choose, programs):
    isolation, (line,) = await choose({"PATH": str(programs)})
    assert isinstance(isolation, SupervisorIsolation)
    assert "no sandbox" in line
    assert "bubblewrap is not installed" in line
    assert "kn-lambda doctor" in line


async def test_where_it_is_forbidden_its_own_words_are_told(choose, programs):
    (programs / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n")
    (programs / "bwrap").chmod(0o755)
    isolation, (line,) = await choose({"PATH": str(programs)})
    assert isinstance(isolation, SupervisorIsolation)
    assert "does not work here: No permissions" in line


async def test_who_wants_no_sandbox_has_none(choose, bubblewrap):
    isolation, (line,) = await choose(MACHINE, sandbox=False)
    assert isinstance(isolation, SupervisorIsolation)
    assert "--no-sandbox" in line


def test_the_folders_of_people_and_the_platform_are_hidden_once_each(tmp_path: Path):
    home = tmp_path / "person"
    (home / "data").mkdir(parents=True)
    hidden = hidden_places(home / "data", {"HOME": str(home)})
    assert not any(a != b and a.is_relative_to(b) for a in hidden for b in hidden)
    assert any((home / "data").is_relative_to(folder) for folder in hidden)


@pytest.mark.parametrize("machine", [{}, {"HOME": ""}, {"HOME": "/"}, {"HOME": "/missing"}])
def test_the_whole_machine_is_never_hidden(tmp_path: Path, machine: dict[str, str]):
    assert Path("/") not in hidden_places(tmp_path, machine)
