"""The embedded platform as a process of its own: start it, and wait until it is ready."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from kn_lambda.cluster.running import platform_info
from kn_lambda.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_START_SECONDS = 300.0
_POLL_SECONDS = 0.05
_LAST_LINES = 20
_PRIVATE_FILE = 0o600
_HINT = "Run `kn-lambda doctor` to check what it needs."


def start_platform(home: Path, log: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start `kn-lambda up`; what it prints goes to the new, private file `log`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(log, flags, _PRIVATE_FILE), "wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "kn_lambda", "up", "--home", str(home), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C and a terminal that is closed must not reach it.
            start_new_session=True,
        )


def await_ready(child: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    """Wait until the platform is ready; `CommandError` with the end of the log if it fails."""
    deadline = time.monotonic() + _START_SECONDS
    while platform_info(home).get("pid") != child.pid:
        if child.poll() is not None:
            raise _failure(log)
        if time.monotonic() > deadline:
            raise CommandError(
                f"the platform did not start in {_START_SECONDS:.0f} s:\n{_last_lines(log)}",
                hint=_HINT,
            )
        time.sleep(_POLL_SECONDS)


def _failure(log: Path) -> CommandError:
    _, is_error, said = f"\n{log.read_text(errors='replace')}".rpartition("\nError: ")
    if is_error:
        problem, _, hint = said.strip().partition("\n")
        return CommandError(f"the platform did not start: {problem}", hint=hint)
    return CommandError(f"the platform did not start:\n{_last_lines(log)}", hint=_HINT)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
