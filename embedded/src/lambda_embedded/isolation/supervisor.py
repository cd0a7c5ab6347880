"""Starts one program and ends with it, when nothing is left of all that it started.

`python -I -S supervisor.py <descriptor>`: from the descriptor come, each ended by NUL but the last,
the id of the parent, the number of arguments, the arguments, and the environment.

SIGTERM is passed on to the program. SIGUSR1, or the end of the parent, ends everything. The exit
status is the program's, 128 + its number for a signal. What leaves its parent, its group and its
session comes to this process all the same, which is a child subreaper.
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
    # A lambda waits for this at its start: `signal` itself would take longer than all the rest.
    import _signal as signal

_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP = 1, 4, 24
_SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS = 36, 38
# Of root's capabilities the first five are about files. Several of the others let it look into
# processes, and which ones changes with the kernel.
_NOT_ABOUT_FILES = range(5, 64)
_SIGNALS = {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD}
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_CANNOT_EXECUTE = 126
_SIGNAL_BASE = 128


def main(descriptor: int) -> int:
    """Hold the program to its end."""
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
    # What it holds has the same user, and must neither look into this process nor its parent.
    prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    for capability in _NOT_ABOUT_FILES:
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
    """Status by process of all that ended."""
    ended = {}
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(found[1])
            ended[found[0]] = code if code >= 0 else _SIGNAL_BASE - code
    except ChildProcessError:
        pass
    return ended


def _end_everything() -> None:
    """Kill generation after generation: what loses its parent becomes a child of this process."""
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
