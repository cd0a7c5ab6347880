"""The children of this process: those that it started, and those that come to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from ctypes import CDLL
from typing import TYPE_CHECKING

from lambda_embedded.holding.holder import children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36
# keyctl(2) has no function in the C library.
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1
_POLL_SECONDS = 0.005


class Family:
    """Knows the children that this process started; all others may be ended."""

    def __init__(self) -> None:
        self._own: set[int] = set()
        self._starting = 0
        self._adopts = False

    def adopt(self) -> None:
        """From now on get what loses its parent below this process, and end it."""
        _prctl(_SET_CHILD_SUBREAPER, 1)
        self._adopts = True

    @contextlib.contextmanager
    def growing(self) -> Iterator[Callable[[int], None]]:
        """Around the start of a child, whose id is to be told."""
        self._starting += 1
        try:
            yield self._own.add
        finally:
            self._starting -= 1

    def left(self, pid: int) -> None:
        """Forget a child that has ended."""
        self._own.discard(pid)

    async def end_adopted(self) -> None:
        """Kill children that came to this process, and what comes of them, until none is left.

        They are there when a holding process was killed, or what our own programs started left
        their group. Does nothing unless `adopt` was called.
        """
        while self._adopts and (strangers := await self._strangers()):
            for pid in strangers:
                _end(pid)
            await asyncio.sleep(_POLL_SECONDS)

    async def _strangers(self) -> set[int]:
        # A child that is being started has an id that nobody knows yet.
        while self._starting:  # noqa: ASYNC110  # it takes as long as starting a process
            await asyncio.sleep(_POLL_SECONDS)
        return set(children_of(os.getpid())) - self._own


FAMILY = Family()


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)


def hide_from_others() -> None:
    """Let processes of the same user read neither environment, memory nor files of this one.

    The keys of the session in which it was started are not its children's either.
    """
    _prctl(_SET_DUMPABLE, 0)
    if (number := _KEYCTL.get(os.uname().machine)) is not None:
        CDLL(None).syscall(number, _JOIN_SESSION_KEYRING, 0)


def _prctl(option: int, value: int) -> None:
    CDLL(None).prctl(option, value, 0, 0, 0)
