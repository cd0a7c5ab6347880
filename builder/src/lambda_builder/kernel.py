"""What this process asks of the Linux kernel beyond the standard library."""

from __future__ import annotations

import ctypes
import os

_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36


def control_process(option: int, *arguments: int | ctypes.c_void_p) -> None:
    """Call prctl(2); `OSError` where the kernel refuses."""
    library = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in arguments]
    words += [ctypes.c_ulong(0)] * (4 - len(words))
    if library.prctl(ctypes.c_int(option), *words) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def hide_memory() -> None:
    """Keep this process's memory and environment from others of the same user.

    The kernel then refuses them ptrace, and `mem`, `environ` and `fd` below /proc. A program that
    this process starts is not hidden.
    """
    control_process(_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, wherever they moved to."""
    control_process(_SET_CHILD_SUBREAPER, 1)
