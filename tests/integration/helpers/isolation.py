"""Both ways to isolate child processes, and ways to look at what these leave behind.

A conftest imports the fixtures that its tests take.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from lambda_sandbox.isolation import (
    NoSandboxError,
    SupervisorIsolation,
    find_bubblewrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambda_sandbox.isolation import Isolation

MACHINE = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}  # noqa: TID251
_NUMBERS = itertools.count(1)


@pytest.fixture(params=["bubblewrap", "supervisor"])
def isolation(request: pytest.FixtureRequest) -> Isolation:
    return request.getfixturevalue(request.param)


@pytest.fixture
def bubblewrap(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Isolation:
    try:
        return find_bubblewrap(tmp_path / "data", MACHINE)
    except NoSandboxError as error:
        if sys.platform == "linux" and Path("/usr/bin/bwrap").exists():
            raise
        missing(f"{error}: apt-get install bubblewrap")


@pytest.fixture
def supervisor() -> Isolation:
    return SupervisorIsolation()


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


class Sleeper:
    """A command line that no other test has, and who runs it."""

    def __init__(self) -> None:
        self.seconds = f"3{os.getpid()}.{next(_NUMBERS):03}"
        self.command = f"sleep {self.seconds}"

    def pids(self) -> list[int]:
        return [pid for pid, words in command_lines() if words[:2] == ["sleep", self.seconds]]

    async def gone(self, pids: Iterable[int] | None = None) -> None:
        """Wait until none of `pids`, or nobody at all, runs it."""
        async with asyncio.timeout(20):
            while set(self.pids()) & set(self.pids() if pids is None else pids):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def started(self, count: int = 1) -> None:
        async with asyncio.timeout(20):
            while len(self.pids()) < count:  # noqa: ASYNC110  # another process starts them
                await asyncio.sleep(0.01)


def command_lines() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        yield int(folder.name), words


ESCAPES = {
    "group": "{sleep} &",
    "session": "setsid {sleep} &",
    "twice": "(setsid sh -c '(setsid {sleep} &) &' &)",
    "bare": "env -i setsid {sleep} &",
    "nohup": "nohup setsid {sleep} > /dev/null 2>&1 < /dev/null &",
}


@pytest.fixture(params=ESCAPES)
def escape(request: pytest.FixtureRequest, sleeper: Sleeper) -> str:
    """A shell command that leaves a process behind."""
    return ESCAPES[request.param].format(sleep=sleeper.command)
