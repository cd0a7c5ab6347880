"""An embedded platform in a temporary folder, as a child process of a `with` block."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.cluster.running import platform_info
from kn_lambda.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_START_SECONDS = 300.0
_STOP_SECONDS = 20.0
_HINT = "Run `kn-lambda doctor` to check what it needs."
_POLL_SECONDS = 0.05
_LAST_LINES = 20
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
            child = _start(home, log)
            _wait(child, home, log)
            yield home
        finally:
            with _uninterrupted():
                if child is not None:
                    _stop(child)
                shutil.rmtree(folder, ignore_errors=True)


def _start(home: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "kn_lambda", "up", "--home", str(home), *_ANY_PORT],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C must not reach the platform: we stop it once we no longer need it.
            start_new_session=True,
        )


def _wait(child: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while platform_info(home).get("pid") != child.pid:
        if child.poll() is not None:
            raise CommandError(f"the platform did not start:\n{_last_lines(log)}", hint=_HINT)
        if time.monotonic() > deadline:
            raise CommandError(
                f"the platform did not start in {_START_SECONDS:.0f} s:\n{_last_lines(log)}",
                hint=_HINT,
            )
        time.sleep(_POLL_SECONDS)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


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
