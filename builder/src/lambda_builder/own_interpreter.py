"""The interpreter that runs this program, by the names under which others ask for one.

The steps of a build, recipes and probes of a runtime may name it; whatever `PATH` leads to, they
get the one that has this installation's packages.
"""

from __future__ import annotations

import shutil
import site
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_NAMES = frozenset({"python", "python3", f"python{VERSION}"})
_ISOLATED_MODULE = ["-I", "-m"]
_RUN_MODULE = (
    "import runpy, site, sys; site.addsitedir(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def is_own_interpreter(program: str) -> bool:
    """Whether a command of this name is run by the interpreter that runs now."""
    return program in _NAMES


def find_program(program: str, path: str | None = None) -> str | None:
    """The file to run for a command's first word; None where there is none."""
    return sys.executable if is_own_interpreter(program) else shutil.which(program, path=path)


def with_own_packages(command: Sequence[str]) -> list[str]:
    """The command, so that `python -I -m module` finds this installation's packages.

    `-I` leaves out a person's own site-packages, where `pip install --user` puts them.
    """
    program, options, rest = command[0], list(command[1:3]), command[3:]
    if options != _ISOLATED_MODULE or (folder := _folder_of_packages()) is None:
        return list(command)
    if folder in site.getsitepackages():
        return list(command)
    return [program, "-I", "-c", _RUN_MODULE, folder, *rest]


def _folder_of_packages() -> str | None:
    """The site-packages that hold this installation; None for one that was merely copied."""
    # Slow to import, and most who need this module do not need that.
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415

    try:
        return str(distribution("kn-lambda").locate_file(""))
    except PackageNotFoundError:
        return None
