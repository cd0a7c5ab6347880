"""Compiles sources in the build, so that a cold start compiles nothing.

The command is the runtime's own (`compiler` in runtime.toml). It has to give equal bytes for equal
sources, which are part of a layer; whatever it left earlier, or a user sent along, is removed.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from lambda_builder import termination
from lambda_builder.own_interpreter import find_program
from lambda_oci.folders import remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_builder.runtime import Runtime

# 1: some sources are broken, the others are compiled.
_USABLE = {0, 1}


def compile_folder(
    folder: Path, runtime: Runtime, *, installed_at: str, timeout_seconds: float
) -> None:
    """Compile every source, or leave no output; sources that do not compile are skipped."""
    compiler = runtime.language.compiler
    if compiler is None or not folder.is_dir():
        return
    _remove_output(folder, compiler.output)
    command = compiler.command_for(folder, runtime.version, installed_at)
    if (program := find_program(command[0])) is None:
        return
    if _run([program, *command[1:]], compiler.environment, timeout_seconds) not in _USABLE:
        _remove_output(folder, compiler.output)


def _run(
    command: Sequence[str], environment: Mapping[str, str], timeout_seconds: float
) -> int | None:
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


def _remove_output(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        for output in list(folder.rglob(name)):
            remove(output)
