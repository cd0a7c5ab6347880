"""Who can read the environment of a program that is isolated."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.processes.programs import places_of_program
from lambda_sandbox.children import start_process
from lambda_sandbox.isolation import View
from lambda_sandbox.log_file import RotatingLog
from tests.integration.helpers.isolation import MACHINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.isolation import Isolation

# A program that nobody may look into starts one that looks into all that it can.
UNREADABLE = """
import ctypes, os, subprocess, sys
PR_SET_DUMPABLE = 4
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
del os.environ["TOKEN"]
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
SEARCH = """
import contextlib, glob
for path in [*glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/fd/*")]:
    with contextlib.suppress(OSError):
        if path.endswith("environ") or "pipe" not in __import__("os").readlink(path):
            print(path, b"hunter" + b"2" in open(path, "rb").read(100_000))
"""


@pytest.fixture
def python(tmp_path: Path) -> Callable:
    """Run a program and return what it prints."""

    async def python(isolation: Isolation, *arguments: str, **environment: str) -> list[str]:
        child = await start_process(
            [sys.executable, "-c", *arguments],
            environment={**MACHINE, **environment},
            working_directory=Path("/"),
            log=RotatingLog(tmp_path / "log", limit_bytes=2**20),
            data_folder=tmp_path,
            isolation=isolation,
            view=View(readable=tuple(places_of_program(Path(sys.executable)))),
        )
        await child.wait()
        return (tmp_path / "log").read_text().splitlines()

    return python


async def test_no_process_of_a_sandbox_has_what_the_program_keeps_to_itself(python, bubblewrap):
    found = await python(bubblewrap, UNREADABLE, SEARCH, TOKEN="hunter2")
    assert "/proc/1/environ False" in found
    assert not [line for line in found if line.endswith("True")]


ODD = "two words, 'quoted' \"twice\" $HOME `id` \\ \n and a line, \N{SNOWMAN}"


@pytest.mark.parametrize("value", ["", ODD, "x" * 100_000], ids=["empty", "odd", "long"])
async def test_a_program_gets_its_environment_as_it_is(python, isolation, value):
    script = "import os; print(repr(os.environ['VALUE']))"
    assert await python(isolation, script, VALUE=value) == [repr(value)]


async def test_a_variable_that_a_shell_keeps_for_itself_stops_nothing(python, isolation):
    script = "import os; print(os.environ['VALUE'])"
    taken = {"PPID": "1", "UID": "1", "IFS": "x", "SHELLOPTS": "noexec", "ENV": "/nowhere"}
    assert await python(isolation, script, **taken, VALUE="there") == ["there"]
