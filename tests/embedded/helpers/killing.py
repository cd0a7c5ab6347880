"""`kill -9`, again and again, at moments that differ."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

# How long each victim may live after it was found: at once, while it starts, while it works.
AGES_SECONDS = (0.0, 0.2, 0.5, 0.9, 0.0, 0.35)
LOOK_SECONDS = 0.02


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def killing(platform: EmbeddedPlatform, having: str, *, times: int) -> Iterator[list[int]]:
    """Kill processes whose command line has `having`, so many, while the block runs.

    Yields the pids that were killed; the block may end before all of them were.
    """
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while len(killed) < times and not ended.wait(LOOK_SECONDS):
            for pid in set(platform.processes(having)) - set(killed):
                ended.wait(AGES_SECONDS[len(killed) % len(AGES_SECONDS)])
                kill_all([pid])
                killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        ended.set()
        killer.join()
