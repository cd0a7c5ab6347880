"""An embedded platform in a temporary folder, as a child process of a `with` block."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.local_platform.background import await_ready, start_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_STOP_SECONDS = 20.0
_ANY_PORT = ("--port", "0", "--broker-port", "0", "--api-port", "0")


@contextlib.contextmanager
def temporary_platform() -> Iterator[Path]:
    """Yield the home of a running platform; the block's end removes its process and its folder.

    Ctrl-C and SIGTERM end the block in the same way.
    """
    with _interrupted_by_sigterm():
        folder = Path(tempfile.mkdtemp(prefix="kn-lambda-"))
        child: subprocess.Popen[bytes] | None = None
        try:
            home, log = folder / "home", folder / "platform.log"
            child = start_platform(home, log, _ANY_PORT)
            await_ready(child, home, log)
            yield home
        finally:
            with _uninterrupted():
                if child is not None:
                    _stop(child)
                shutil.rmtree(folder, ignore_errors=True)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its own children end with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore signals during the cleanup."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
