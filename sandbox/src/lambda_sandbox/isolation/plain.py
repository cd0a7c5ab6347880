"""For our own programs, which stay in their process group."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.launch import Launch

if TYPE_CHECKING:
    from lambda_sandbox.isolation.launch import Program, View


class NoIsolation:
    """Starts the program itself, which the kernel kills when this process ends; it sees all."""

    def launch(self, program: Program, view: View) -> Launch:
        """Return the program, run through `setpriv` if this machine has it."""
        del view
        setpriv = shutil.which("setpriv")
        before = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        return Launch(arguments=[*before, *program.arguments], environment=program.environment)

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the group."""
        _signal_group(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        """Kill the group."""
        _signal_group(pid, signal.SIGKILL)

    def clean_up(self, pid: int) -> None:
        """Kill the rest of the group, whose id no other has while it has members."""
        _signal_group(pid, signal.SIGKILL)

    def status(self, returncode: int) -> int:
        """Return the status unchanged."""
        return returncode


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
