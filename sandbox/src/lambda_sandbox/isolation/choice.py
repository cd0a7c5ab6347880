"""Which isolation untrusted programs get on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.bubblewrap import BubblewrapIsolation
from lambda_sandbox.isolation.launch import Program, View
from lambda_sandbox.isolation.supervision import SupervisorIsolation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_sandbox.isolation.launch import Isolation

_PRIVATE = ("/home", "/root", "/run", "/tmp", "/var/tmp")  # noqa: S108  # hidden, not used
_SECONDS = 10.0


class NoSandboxError(Exception):
    """There is no bubblewrap here, or it does not work; the message says why."""


async def choose_isolation(
    data_folder: Path,
    machine: Mapping[str, str],
    *,
    sandbox: bool,
    progress: Callable[[str], None],
) -> Isolation:
    """Return bubblewrap if it is wanted and works, else the supervisor; `progress` says which."""
    reason = "--no-sandbox"
    if sandbox:
        try:
            isolation = await asyncio.to_thread(find_bubblewrap, data_folder, machine)
        except NoSandboxError as error:
            reason = f"{error}; kn-lambda doctor says what to do"
        else:
            progress("builds and functions run in a sandbox: they do not see your home")
            return isolation
    progress(f"no sandbox: builds and lambdas can do all that you can ({reason})")
    return SupervisorIsolation()


def find_bubblewrap(data_folder: Path, machine: Mapping[str, str]) -> BubblewrapIsolation:
    """Return a bubblewrap that was tried: an installed one may be forbidden."""
    bubblewrap = shutil.which("bwrap", path=machine.get("PATH", os.defpath))
    if bubblewrap is None:
        raise NoSandboxError("bubblewrap is not installed")
    isolation = BubblewrapIsolation(bubblewrap, hidden_places(data_folder, machine))
    program = Program(arguments=["true"], environment={}, working_directory=Path("/"))
    launch = isolation.launch(program, View())
    try:
        done = subprocess.run(
            launch.arguments,
            env={},
            pass_fds=launch.descriptors,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoSandboxError(f"bubblewrap cannot be run: {error}") from error
    finally:
        launch.close()
    if done.returncode != 0:
        said = done.stderr.strip().removeprefix("bwrap: ")
        raise NoSandboxError(f"bubblewrap does not work here: {said}")
    return isolation


def hidden_places(data_folder: Path, machine: Mapping[str, str]) -> list[Path]:
    """Return the folders whose content is private to the user, none below another."""
    named = [data_folder, *map(Path, (machine.get("HOME") or "/", *_PRIVATE))]
    real = {place.resolve() for place in named if place.is_dir()} - {Path("/")}
    return sorted(place for place in real if not real.intersection(place.parents))
