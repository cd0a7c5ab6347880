"""What only Linux can do."""

from __future__ import annotations

import sys

from kn_lambda.errors import CommandError


def require_linux(what: str, system: str | None = None) -> None:
    """Raise a `CommandError` elsewhere; `what` begins its message: "kn-lambda up"."""
    if (system or sys.platform) != "linux":
        raise CommandError(
            f"{what} works on Linux only: it isolates and ends processes by means of that kernel",
            hint="Run it in a Linux virtual machine or container (WSL 2, Lima, Docker). Commands"
            " for a cluster work here: kn-lambda list --context NAME",
        )
