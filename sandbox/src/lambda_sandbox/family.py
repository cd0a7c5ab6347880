"""The children of this process: those that it started, and orphans that it adopted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from ctypes import CDLL
from typing import TYPE_CHECKING

from lambda_sandbox.isolation.launch import children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36
# keyctl(2) has no function in the C library.
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1
_POLL_SECONDS = 0.005


class Family:
    """Knows the children that this process started; all others may be killed."""

    def __init__(self) -> None:
        self._own: set[int] = set()
        self._starting = 0
        self._adopts = False

    def adopt(self) -> None:
        """Adopt orphaned descendants of this process from now on."""
        _prctl(_SET_CHILD_SUBREAPER, 1)
        self._adopts = True

    @contextlib.contextmanager
    def growing(self) -> Iterator[Callable[[int], None]]:
        """Wrap the start of a child; pass its id to the function yielded."""
        self._starting += 1
        try:
            yield self._own.add
        finally:
            self._starting -= 1

    def forget(self, pid: int) -> None:
        """Forget a child that has ended."""
        self._own.discard(pid)

    async def end_adopted(self) -> None:
        """Kill adopted children, and the descendants that this orphans, until none is left.

        A process is adopted when its wrapper process was killed, or when it left the process group
        of one of our own programs. Does nothing unless `adopt` was called.
        """
        while self._adopts and (strangers := await self._strangers()):
            for pid in strangers:
                _end(pid)
            await asyncio.sleep(_POLL_SECONDS)

    async def _strangers(self) -> set[int]:
        # The id of a child that is being started is not known yet.
        while self._starting:  # noqa: ASYNC110  # it takes as long as starting a process
            await asyncio.sleep(_POLL_SECONDS)
        return set(children_of(os.getpid())) - self._own


FAMILY = Family()


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)


def hide_from_others() -> None:
    """Keep other processes of the same user from reading environment, memory and files of this one.

    Its children do not get the keys of the session in which it was started either.
    """
    _prctl(_SET_DUMPABLE, 0)
    if (number := _KEYCTL.get(os.uname().machine)) is not None:
        CDLL(None).syscall(number, _JOIN_SESSION_KEYRING, 0)


def _prctl(option: int, value: int) -> None:
    CDLL(None).prctl(option, value, 0, 0, 0)
