"""Python bytecode beside the sources, so that a cold start compiles nothing.

The files are hash-based and unchecked: they hold no time, so equal sources give equal bytes, and
the interpreter does not look at the source again. One fresh interpreter compiles one folder in
sorted order, because which objects its marshalled references point to depends on what came before.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from lambda_builder import termination
from lambda_oci.folders import remove

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.runtime import Runtime

_LANGUAGE = "python"
_CACHE = "__pycache__"


def compile_folder(
    folder: Path, runtime: Runtime, *, installed_at: str, timeout_seconds: float
) -> None:
    """Compile every module, or leave no bytecode; sources that do not compile are skipped."""
    if runtime.language != _LANGUAGE or not folder.is_dir():
        return
    _remove_caches(folder)
    if (interpreter := _interpreter(runtime.version)) is None:
        return
    command = [interpreter, "-S", "-s", "-P", "-m", "compileall", "-qq", "--invalidation-mode"]
    command += ["unchecked-hash", "-s", str(folder), "-p", installed_at, str(folder)]
    # A fixed seed: the order of a set of names is part of the compiled file.
    environment = {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}
    if _run(command, environment, timeout_seconds) not in {0, 1}:
        _remove_caches(folder)


def _run(command: list[str], environment: dict[str, str], timeout_seconds: float) -> int | None:
    """Exit status, or None where the time ran out."""
    with termination.held():
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            with termination.allowed():
                return process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()
            process.wait()


def _interpreter(version: str) -> str | None:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return shutil.which(f"python{version}")


def _remove_caches(folder: Path) -> None:
    for cache in list(folder.rglob(_CACHE)):
        remove(cache)
