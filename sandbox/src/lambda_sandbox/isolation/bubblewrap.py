"""For untrusted programs: a bubblewrap sandbox with processes and files of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.launch import (
    Launch,
    as_of_a_shell,
    children_of,
    message,
    message_read_once,
)
from lambda_sandbox.isolation.mounts import mount_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_sandbox.isolation.launch import Program, View

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPTIONS = (
    # When the first process ends, the kernel kills all others before it reports the end.
    "--unshare-pid",
    "--as-pid-1",
    "--die-with-parent",
    "--unshare-ipc",
    # Started by root, the program would keep all of them.
    "--cap-drop",
    "ALL",
)  # fmt: skip
# The first process of a PID namespace gets no signal without a handler and has to reap orphans. So
# it is a shell, which prints nothing itself. It never has the program's environment: whatever the
# program starts could read it there, though the program may have made itself unreadable.
_FIRST = ("/bin/sh", "-c", 'exec 3>&2 2>/dev/null; (. "$0"; exec "$@" 2>&3 3>&-); exit $?')


class BubblewrapIsolation:
    """Runs programs below bubblewrap; `hidden` are the folders whose content they do not see.

    They can read the rest of the file system but not change it, and they share the network.
    """

    def __init__(self, bubblewrap: str, hidden: Sequence[Path]) -> None:
        self._bubblewrap = bubblewrap
        self._hidden = tuple(hidden)

    def launch(self, program: Program, view: View) -> Launch:
        """Return bubblewrap, which itself gets none of the program's environment.

        Variables such as LD_PRELOAD would make it run untrusted code outside of the sandbox.
        """
        options = [*_OPTIONS, *mount_options(self._hidden, view)]
        options += ["--chdir", str(program.working_directory)]
        # Not as arguments, which every user of this machine can read.
        descriptor = message(b"".join(option.encode() + b"\0" for option in options))
        variables = message_read_once(_exports(program.environment))
        return Launch(
            arguments=[
                *(self._bubblewrap, "--args", str(descriptor), "--"),
                *(*_FIRST, f"/dev/fd/{variables}", *program.arguments),
            ],
            environment={},
            descriptors=(descriptor, variables),
        )

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the program; bubblewrap would end by it, and the program with it."""
        programs = [child for first in children_of(pid) for child in children_of(first)]
        if programs:
            _send(programs[0], signal.SIGTERM)
        else:
            self.kill(pid)

    def kill(self, pid: int) -> None:
        """Kill the first process of the sandbox, whose end also ends bubblewrap."""
        for each in children_of(pid) or [pid]:
            _send(each, signal.SIGKILL)
        # It may have been stopped by SIGSTOP.
        _send(pid, signal.SIGCONT)

    def clean_up(self, pid: int) -> None:
        """Nothing is left."""

    def status(self, returncode: int) -> int:
        """Return the status of the program from that of bubblewrap."""
        return as_of_a_shell(returncode)


def _exports(environment: Mapping[str, str]) -> bytes:
    """Return commands of a shell; no shell has variables of other names."""
    return b"".join(
        # As a command of its own, an assignment that a shell refuses would end it.
        f"command export {name}={shlex.quote(value)}\n".encode(errors="surrogateescape")
        for name, value in environment.items()
        if _NAME.fullmatch(name)
    )


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
