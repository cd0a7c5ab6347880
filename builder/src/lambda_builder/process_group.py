"""Runs a program; it and all its children are gone afterwards, even if we are killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from lambda_builder import termination
from lambda_builder.descendants import end_descendants
from lambda_builder.kernel import adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_DESCRIPTORS = 1024


def run_in_process_group(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout_seconds: float
) -> int | None:
    """Exit status (negative: the signal that ended it), or None where the time ran out.

    Its output goes to our standard output as it comes. When it ends, when the time is over and
    when we raise, all that it started is ended, whatever it did to get away; when we are killed
    ourselves, its process group is.
    """
    sys.stdout.flush()
    adopt_orphans()
    with termination.held():
        try:
            return _run(command, folder, environment, timeout_seconds)
        finally:
            end_descendants()


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout_seconds: float
) -> int | None:
    # The watcher starts first: the program's first output may make somebody kill us.
    with _killed_when_we_die() as group:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stdout.fileno(),
            stderr=subprocess.STDOUT,
            process_group=group,
        )
        try:
            with termination.allowed():
                ended = _wait(process.pid, timeout_seconds)
        finally:
            # Until its watcher is waited for, its number cannot become another group's.
            _kill(group)
            process.wait()
    return process.returncode if ended else None


def _wait(pid: int, timeout_seconds: float) -> bool:
    descriptor = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([descriptor], [], [], timeout_seconds)
    finally:
        os.close(descriptor)
    return bool(ready)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@contextmanager
def _killed_when_we_die() -> Iterator[int]:
    """Fork the first of a process group, which kills it when our end of a pipe closes.

    Kill -9 closes it too.
    """
    theirs, ours = os.pipe()
    # Nothing of ours runs in threads, so a fork has all that it needs. Termination is held, so that
    # a signal to our process group does not raise in the fork either.
    if (watcher := os.fork()) == 0:
        _watch(theirs, ours)
    os.close(theirs)
    try:
        # The watcher does so as well: whichever is first, the group is there for the program.
        os.setpgid(watcher, watcher)
        yield watcher
    finally:
        _kill(watcher)
        os.close(ours)
        os.waitpid(watcher, 0)


def _watch(theirs: int, ours: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.close(ours)
        os.closerange(0, theirs)
        os.closerange(theirs + 1, _DESCRIPTORS)
        os.read(theirs, 1)
        _kill(os.getpid())
    finally:
        os._exit(0)
