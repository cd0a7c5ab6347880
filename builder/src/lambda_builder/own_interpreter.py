"""The interpreter that runs this program, by the names under which others ask for one.

The steps of a build, recipes and probes of a runtime may name it; whatever `PATH` leads to, they
get the one that has this installation's packages.
"""

from __future__ import annotations

import shutil
import sys

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_NAMES = frozenset({"python", "python3", f"python{VERSION}"})


def is_own_interpreter(program: str) -> bool:
    """Whether a command of this name is run by the interpreter that runs now."""
    return program in _NAMES


def find_program(program: str, path: str | None = None) -> str | None:
    """The file to run for a command's first word; None where there is none."""
    return sys.executable if is_own_interpreter(program) else shutil.which(program, path=path)
