"""What a sandboxed program sees of hidden folders."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.processes.programs import places_of_program
from lambda_sandbox.children import start_process
from lambda_sandbox.isolation import BubblewrapIsolation, View
from lambda_sandbox.log_file import RotatingLog
from tests.integration.helpers.isolation import MACHINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.isolation import Isolation


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def shell(home: Path, tmp_path: Path, bubblewrap: Isolation) -> Callable:
    """Run a shell command that finds `home` hidden, but for a view; its output."""
    isolation = BubblewrapIsolation(bubblewrap._bubblewrap, [home])

    async def shell(command: str, **view: tuple[Path, ...]) -> list[str]:
        child = await start_process(
            ["sh", "-c", command],
            environment=MACHINE,
            working_directory=Path("/"),
            log=RotatingLog(tmp_path / "log", limit_bytes=2**20),
            data_folder=tmp_path,
            isolation=isolation,
            view=View(**view),
        )
        await child.wait()
        return (tmp_path / "log").read_text().split()

    return shell


async def test_what_is_named_is_there_and_nothing_beside_it(shell, home):
    for name in ("shown", "secret"):
        (home / name).mkdir()
        (home / name / "file").write_text(name)
    said = await shell(f"ls {home}; cat {home}/shown/file", readable=(home / "shown",))
    assert said == ["shown", "shown"]


async def test_what_is_readable_cannot_be_written_and_what_is_writable_can(shell, home):
    for name in ("read", "write"):
        (home / name).mkdir()
    view = {"readable": (home / "read", home / "write"), "writable": (home / "write",)}
    await shell(f"touch {home}/read/x {home}/write/x", **view)
    assert [path.name for path in home.glob("*/x")] == ["x"]
    assert (home / "write" / "x").exists()


async def test_a_writable_place_need_not_be_hidden(shell, tmp_path):
    (tmp_path / "beside").mkdir()
    await shell(f"touch {tmp_path}/beside/x", writable=(tmp_path / "beside",))
    assert (tmp_path / "beside" / "x").exists()


@pytest.mark.parametrize("place", [".", "..", "../..", "missing"])
async def test_a_hidden_folder_or_one_around_it_is_never_shown(shell, home, place):
    (home / "secret").touch()
    view = {"readable": (home / place,), "writable": (home / place,)}
    assert await shell(f"ls {home}", **view) == []


async def test_links_are_followed_wherever_they_lead(shell, home):
    # As version managers have them: a link of the person's own to a link that changes with updates.
    real = home / "versions" / "3.1.4" / "bin"
    real.mkdir(parents=True)
    (real / "tool").write_text("#!/bin/sh\ncat $(dirname $(readlink -f $0))/../lib/text\n")
    (real / "tool").chmod(0o755)
    (real.parent / "lib").mkdir()
    (real.parent / "lib" / "text").write_text("found\n")
    (home / "versions" / "3.1").symlink_to("3.1.4")
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "tool").symlink_to("../../versions/3.1/bin/tool")
    (home / ".local" / "secret").touch()
    program = home / ".local" / "bin" / "tool"
    view = tuple(places_of_program(program))
    assert await shell(f"{program}; ls {home}/.local", readable=view) == ["found", "bin"]


@pytest.mark.parametrize("prefix", ["", ".local", ".cargo"])
async def test_a_program_beside_private_files_shows_only_itself(shell, home, prefix):
    folder = home / prefix
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "tool").write_text("#!/bin/sh\necho ran\n")
    (folder / "bin" / "tool").chmod(0o755)
    (folder / "secret").touch()
    view = tuple(places_of_program(folder / "bin" / "tool"))
    assert await shell(f"{folder}/bin/tool; ls {folder}", readable=view) == ["ran", "bin"]


async def test_a_link_that_goes_in_circles_is_nothing(shell, home):
    (home / "a").symlink_to("b")
    (home / "b").symlink_to("a")
    assert await shell("echo well", readable=(home / "a",)) == ["well"]


async def test_the_wrapper_process_has_neither_variables_nor_libraries_of_the_program(
    start, tmp_path
):
    child = await start(
        "import time; time.sleep(600)", LD_PRELOAD="", SECRET="of-the-program", PYTHONPATH="/evil"
    )
    process = Path(f"/proc/{child.pid}")
    told = process.joinpath("cmdline").read_bytes()
    # Nobody but root reads that of a supervisor.
    with suppress(PermissionError):
        told += process.joinpath("environ").read_bytes()
    await child.stop(0)
    assert b"of-the-program" not in told
    assert b"LD_PRELOAD" not in told
    assert b"/evil" not in told


def test_interpreters_of_this_machine_are_followed():
    places = list(places_of_program(Path(sys.executable)))
    assert Path(sys.base_prefix).resolve() in {place.resolve() for place in places}
