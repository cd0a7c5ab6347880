"""Stops the embedded platform of a data folder, and never any other process."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_embedded.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_POLL_SECONDS = 0.02


class UnknownOwnerError(Exception):
    """A platform runs, but which process it is cannot be said for certain."""


def stop_platform(home: Path, seconds: float, progress: Callable[[str], None]) -> int | None:
    """Ask the platform to stop, wait until it has, and return its pid; None if none runs.

    `TimeoutError` if it still runs after `seconds`.
    """
    folder = DataFolder(home)
    if not folder.is_locked():
        return None
    deadline = time.monotonic() + seconds
    with _process(folder) as (pid, process):
        progress(f"stopping the platform in {home} (pid {pid})")
        _ask_to_stop(process)
        is_over, _, _ = select.select([process], [], [], seconds)
        # A process of the platform that ends last may hold the lock for a moment.
        while folder.is_locked() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not is_over or folder.is_locked():
            raise TimeoutError(f"the platform in {home} (pid {pid}) still runs")
    return pid


def _ask_to_stop(process: int) -> None:
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except ProcessLookupError:
        return  # it has just ended by itself
    except PermissionError as error:
        raise UnknownOwnerError("the process of the platform belongs to another user") from error


@contextmanager
def _process(folder: DataFolder) -> Iterator[tuple[int, int]]:
    """Yield pid and descriptor of the process that holds the lock.

    The descriptor names the process for good: its pid may belong to another one a moment later.
    That it held the lock after it was opened shows that it is the platform.
    """
    pid = folder.owner()
    if pid is None:
        raise UnknownOwnerError(f"cannot see which process runs the platform in {folder.root}")
    try:
        process = os.pidfd_open(pid)
    except OSError as error:
        raise UnknownOwnerError(f"process {pid} is out of reach: {error.strerror}") from error
    try:
        if folder.owner() != pid:
            raise UnknownOwnerError(f"the platform in {folder.root} was replaced meanwhile")
        yield pid, process
    finally:
        os.close(process)
