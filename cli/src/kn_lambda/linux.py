"""What only Linux can do."""

from __future__ import annotations

import sys

from kn_lambda.errors import CommandError

INSTEAD = (
    "Run it in a Linux virtual machine or container (WSL 2, Lima, Docker). Commands for a cluster"
    " work here: kn-lambda list --context NAME"
)


def is_linux() -> bool:
    """Return whether this machine can run the embedded platform."""
    return sys.platform == "linux"


def require_linux(what: str) -> None:
    """Raise a `CommandError` elsewhere; `what` begins its message: "kn-lambda up"."""
    if not is_linux():
        raise CommandError(
            f"{what} works on Linux only: it isolates and ends processes by means of that kernel",
            hint=INSTEAD,
        )
