"""How this program is called from another terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "kn-lambda"


def program() -> str:
    """Return `kn-lambda`, or its whole path where no PATH but our own can be counted on."""
    called_as = Path(sys.argv[0]).absolute()
    in_own_environment = sys.prefix != sys.base_prefix and called_as.parent == Path(
        sys.prefix, "bin"
    )
    # `make run` has the environment on its PATH, which the next terminal has not.
    is_activated = os.environ.get("VIRTUAL_ENV") == sys.prefix  # noqa: TID251 # a shell's own
    if called_as.name == _NAME and in_own_environment and not is_activated:
        return str(called_as)
    return _NAME
