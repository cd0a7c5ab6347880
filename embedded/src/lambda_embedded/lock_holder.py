"""The lock by which one process owns a folder: take it, see whether it is taken, and by whom.

The kernel lets go of it when its process ends, however that ends. A pid in a file alone would say
nothing: after `kill -9` it may belong to any other process.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

_LOCKS = Path("/proc/locks")
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.02


def acquire(descriptor: int) -> bool:
    """Take the lock of an open file; False if another process has it."""
    import fcntl  # noqa: PLC0415 # commands for a cluster import this module on other systems too

    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # `is_held` has it for a moment while it looks.
            if attempt < _ATTEMPTS - 1:
                time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def is_held(lock_file: Path) -> bool:
    """Whether a process holds the lock; also a process that this one cannot see."""
    import fcntl  # noqa: PLC0415 # as above

    try:
        descriptor = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def pid_of_holder(lock_file: Path) -> int | None:
    """Return the process that wrote its pid into the file and, says the kernel, holds its lock.

    None for a file of another user, who could aim at any process by it.
    """
    try:
        status = lock_file.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return None
        pid = lock_file.read_text().strip()
        locks = _LOCKS.read_text().splitlines()
    except (OSError, ValueError):
        return None
    # number: FLOCK ADVISORY WRITE <pid> <device>:<inode> ...; a waiting one begins with "->".
    wanted = ["FLOCK", "ADVISORY", "WRITE", pid, str(status.st_ino)]
    for fields in map(str.split, locks):
        if [*fields[1:5], *(each.rpartition(":")[2] for each in fields[5:6])] == wanted:
            return int(pid)
    return None
