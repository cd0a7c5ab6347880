"""How every program of a build starts and ends: signals, exit code, messages."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.errors import BuildError, PlatformError, Terminated, build_error
from lambda_builder.settings import Environment
from lambda_builder.termination import raise_on_signals
from lambda_oci.errors import OciError

if TYPE_CHECKING:
    from collections.abc import Callable

# Kubernetes cuts a termination message here, which would leave broken JSON.
MESSAGE_BYTES = 4096
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def run_program(program: Callable[[Environment], dict[str, object] | None]) -> int:
    """Run one step of a build; its exit code. Every failure leaves a termination message.

    Reasons of this module: `Interrupted` (SIGTERM), `DiskFull`, `OutOfMemory`, and `BuilderBug` for
    anything unexpected, with a traceback in the log. All of them may pass: exit code 75.
    """
    environ = dict(os.environ)  # noqa: TID251 - the one place where the environment is read
    message_path = Path(environ.get("TERMINATION_MESSAGE_PATH", "/dev/termination-log"))
    try:
        raise_on_signals()
        result = program(Environment(environ))
    except (Exception, Terminated) as error:  # noqa: BLE001 - the outermost frame of the process
        failure = _failure(error)
        write_message(message_path, {"reason": failure.reason, "message": failure.message})
        say(_printable(f"{failure.reason}: {failure.message}"))
        return failure.exit_code
    if result is not None:
        write_message(message_path, result)
    return 0


def say(text: str) -> None:
    """Tell whoever reads the log what goes on."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the log of the build


def write_message(path: Path, content: dict[str, object]) -> None:
    """Write the termination message; `message` and `layers` are cut until it fits."""
    try:
        path.write_bytes(fit(content))
    except OSError as error:
        # Outside a pod the default path does not exist; the failure itself must still be reported.
        print(f"termination message not written: {error.strerror}", file=sys.stderr)  # noqa: T201


def fit(content: dict[str, object]) -> bytes:
    """JSON of at most `MESSAGE_BYTES` bytes."""
    document = dict(content)
    if isinstance(message := document.get("message"), str):
        document["message"] = message = _printable(message)
        while len(encoded := _encode(document)) > MESSAGE_BYTES:
            message = message[: len(message) - max(1, (len(encoded) - MESSAGE_BYTES) // 4) - 1]
            document["message"] = message.rstrip() + "…"
    return _encode(document)


def _encode(document: dict[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().strip()


def _failure(error: BaseException) -> BuildError:
    if isinstance(error, BuildError):
        return error
    if isinstance(error, OciError):
        return build_error(error)
    if isinstance(error, Terminated):
        return PlatformError("Interrupted", f"the build was stopped from outside ({error})")
    if isinstance(error, MemoryError):
        return PlatformError("OutOfMemory", "the build needs more memory than it was given")
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return PlatformError("DiskFull", "the build's disk is full")
    traceback.print_exception(error)
    return PlatformError(
        "BuilderBug",
        f"the builder failed unexpectedly ({type(error).__name__}); see the build's log",
    )
