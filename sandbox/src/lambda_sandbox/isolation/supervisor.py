"""Runs one program, and ends when nothing is left of all that it started.

`python -I -S supervisor.py <descriptor>` reads from the descriptor, separated by NUL: the id of the
parent, the number of arguments, the arguments, and the environment.

SIGTERM is passed to the program. SIGUSR1, or the end of the parent, kills everything. The exit
status is the program's, or 128 + the number of a signal. This process is a child subreaper, so it
adopts processes that leave their parent, group and session.
"""

from __future__ import annotations

import os
import sys
from ctypes import CDLL

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    # The start of a lambda waits for this, and importing `signal` would take longer than the rest.
    import _signal as signal

_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP = 1, 4, 24
_SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS = 36, 38
# The first five of root's capabilities concern files. Several others allow access to other
# processes, and which ones depends on the kernel.
_NOT_FOR_FILES = range(5, 64)
_SIGNALS = {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD}
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_CANNOT_EXECUTE = 126
_SIGNAL_BASE = 128


def main(descriptor: int) -> int:
    """Run the program to its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with open(descriptor, "rb") as file:  # a descriptor has no path
        parent, count, *words = file.read().split(b"\0")
    _set_up()
    if os.getppid() != int(parent):
        return _SIGNAL_BASE + signal.SIGKILL
    if (program := os.fork()) == 0:
        _become(words[: int(count)], words[int(count) :])
    status = _wait(program)
    _end_everything()
    return status


def _set_up() -> None:
    prctl = CDLL(None).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    # The program has the same user; it must not access the memory of this process or its parent.
    prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    for capability in _NOT_FOR_FILES:
        prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _become(arguments: list[bytes], variables: list[bytes]) -> NoReturn:
    try:
        os.setsid()
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.execve(arguments[0], arguments, dict(each.split(b"=", 1) for each in variables))  # noqa: S606
    except OSError as error:
        os.write(2, arguments[0] + f": {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_EXECUTE)


def _wait(program: int) -> int:
    while True:
        match signal.sigwait(_SIGNALS):
            case signal.SIGTERM:
                os.kill(program, signal.SIGTERM)
            case signal.SIGUSR1:
                return _SIGNAL_BASE + signal.SIGKILL
            case _:
                ended = _reap()
                if program in ended:
                    return ended[program]


def _reap() -> dict[int, int]:
    """Return the status of every process that ended."""
    ended = {}
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(found[1])
            ended[found[0]] = code if code >= 0 else _SIGNAL_BASE - code
    except ChildProcessError:
        pass
    return ended


def _end_everything() -> None:
    """Kill one generation after the other: orphans become children of this process."""
    while True:
        with open("/proc/thread-self/children") as file:  # noqa: PTH123  # pathlib costs time
            children = file.read().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
