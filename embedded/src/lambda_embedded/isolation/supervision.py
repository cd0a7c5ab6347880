"""For programs of others where bubblewrap does not work: they see all, but leave nothing behind."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_embedded.isolation.launch import Launch, as_of_a_shell, message

if TYPE_CHECKING:
    from lambda_embedded.isolation.launch import Program, View

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class SupervisorHolder:
    """`supervisor.py` in a process of its own; `View` means nothing to it."""

    def launch(self, program: Program, view: View) -> Launch:
        """Return the supervisor, which itself gets nothing of the program's environment."""
        del view
        parts = [str(os.getpid()), str(len(program.arguments)), *program.arguments]
        parts += [f"{name}={value}" for name, value in program.environment.items()]
        descriptor = message("\0".join(parts).encode())
        return Launch(
            # Whatever site-packages hold costs time, and it needs nothing of it.
            arguments=[sys.executable, "-I", "-S", str(_SUPERVISOR), str(descriptor)],
            environment={},
            descriptors=(descriptor,),
        )

    def terminate(self, pid: int) -> None:
        """Have SIGTERM passed on to the program."""
        _send(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        """Have everything killed."""
        _send(pid, signal.SIGUSR1)
        # What it holds could have stopped it.
        _send(pid, signal.SIGCONT)

    def clean_up(self, pid: int) -> None:
        """Nothing is left, unless the supervisor was killed: then it comes to its parent."""

    def status(self, returncode: int) -> int:
        """Return what the supervisor says of the program."""
        # Asked to kill before it had begun.
        return -signal.SIGKILL if returncode == -signal.SIGUSR1 else as_of_a_shell(returncode)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
