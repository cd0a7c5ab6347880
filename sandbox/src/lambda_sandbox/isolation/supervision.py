"""For untrusted programs without bubblewrap: they see everything but leave nothing behind."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.launch import Launch, as_of_a_shell, message

if TYPE_CHECKING:
    from lambda_sandbox.isolation.launch import Program, View

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class SupervisorIsolation:
    """Runs programs below `supervisor.py`; it ignores the `View`."""

    def launch(self, program: Program, view: View) -> Launch:
        """Return the supervisor, which itself gets none of the program's environment."""
        del view
        parts = [str(os.getpid()), str(len(program.arguments)), *program.arguments]
        parts += [f"{name}={value}" for name, value in program.environment.items()]
        descriptor = message("\0".join(parts).encode())
        return Launch(
            # Loading site-packages takes time, and the supervisor needs none of them.
            arguments=[sys.executable, "-I", "-S", str(_SUPERVISOR), str(descriptor)],
            environment={},
            descriptors=(descriptor,),
        )

    def terminate(self, pid: int) -> None:
        """Make the supervisor pass SIGTERM to the program."""
        _send(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        """Make the supervisor kill everything."""
        _send(pid, signal.SIGUSR1)
        # The program could have stopped it.
        _send(pid, signal.SIGCONT)

    def clean_up(self, pid: int) -> None:
        """Nothing is left, unless the supervisor was killed: then its parent adopts the rest."""

    def status(self, returncode: int) -> int:
        """Return the status of the program from that of the supervisor."""
        # The signal to kill came before the supervisor was set up.
        return -signal.SIGKILL if returncode == -signal.SIGUSR1 else as_of_a_shell(returncode)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
