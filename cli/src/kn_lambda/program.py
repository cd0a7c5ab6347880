"""How people start this program, for command lines that they copy."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId

_PROGRAM = "kn-lambda"


def program() -> str:
    """Return `kn-lambda`, or its full path if a shell may not find it on its PATH."""
    called_as = Path(sys.argv[0]).absolute()
    found = shutil.which(_PROGRAM)
    # The PATH of `make run` is its own: the next terminal has another.
    is_own_path = "MAKELEVEL" in os.environ  # noqa: TID251 # set by make
    if found is not None and Path(found).absolute() == called_as and not is_own_path:
        return _PROGRAM
    return str(called_as) if called_as.name == _PROGRAM else _PROGRAM


def command_about(function: FunctionId, command: str) -> str:
    """Return a command line about a function, for a sentence that says what to do."""
    flags = "" if function.namespace == "default" else f" -n {function.namespace}"
    return f"{_PROGRAM} {command} {function.name}{flags}"
