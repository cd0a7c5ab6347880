"""For programs of others: a sandbox with processes and files of its own, by bubblewrap."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_embedded.isolation.launch import Launch, as_of_a_shell, children_of, message
from lambda_embedded.isolation.mounts import mount_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_embedded.isolation.launch import Program, View

_OPTIONS = (
    # With its first process the kernel ends all of them, and only then says that it has ended.
    "--unshare-pid",
    "--as-pid-1",
    "--die-with-parent",
    "--unshare-ipc",
    # Where root starts it, it would keep them all.
    "--cap-drop",
    "ALL",
)  # fmt: skip
# A first process gets no signal for which it has no handler, and nobody reaps for it. So it is a
# shell, which says nothing of its own.
_FIRST = ("/bin/sh", "-c", 'exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?', "sh")


class BubblewrapHolder:
    """bubblewrap at a path; `hidden` are the folders whose content programs do not see.

    Of the rest of the file system they see all and change nothing. They share the network.
    """

    def __init__(self, bubblewrap: str, hidden: Sequence[Path]) -> None:
        self._bubblewrap = bubblewrap
        self._hidden = tuple(hidden)

    def launch(self, program: Program, view: View) -> Launch:
        """Return bubblewrap, which itself gets nothing of the program's environment.

        Variables such as LD_PRELOAD would have it run foreign code outside of the sandbox.
        """
        options = [*_OPTIONS, *mount_options(self._hidden, view)]
        for name, value in program.environment.items():
            options += ["--setenv", name, value]
        options += ["--chdir", str(program.working_directory)]
        # Not as arguments, which every user of this machine can read.
        descriptor = message(b"".join(option.encode() + b"\0" for option in options))
        return Launch(
            arguments=[
                *(self._bubblewrap, "--args", str(descriptor), "--"),
                *(*_FIRST, *program.arguments),
            ],
            environment={},
            descriptors=(descriptor,),
        )

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the program; bubblewrap would die of it, and the program with it."""
        programs = [child for first in children_of(pid) for child in children_of(first)]
        if programs:
            _send(programs[0], signal.SIGTERM)
        else:
            self.kill(pid)

    def kill(self, pid: int) -> None:
        """Kill the first process of the sandbox, after whose end bubblewrap ends."""
        for each in children_of(pid) or [pid]:
            _send(each, signal.SIGKILL)
        # It may have been stopped.
        _send(pid, signal.SIGCONT)

    def clean_up(self, pid: int) -> None:
        """Nothing is left."""

    def status(self, returncode: int) -> int:
        """Return what bubblewrap says of the program."""
        return as_of_a_shell(returncode)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
