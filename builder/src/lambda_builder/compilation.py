"""Compiles sources in the build, so that a cold start compiles nothing.

The command is the runtime's own (`compiler` in runtime.toml). It has to give equal bytes for equal
sources, which are part of a layer; whatever it left earlier, or a user sent along, is removed.

One that can be told what to compile runs several times beside each other. What comes before a
source may have a say in its bytes, so the shares depend on the sources alone, and not on how many
processors there are.
"""

from __future__ import annotations

import os
import subprocess
import time
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
_SHARES = 2
# Of a command; longer ones are refused by the kernel.
_MOST_NAMES = 1000


def compile_folder(
    folder: Path, runtime: Runtime, *, installed_at: str, timeout_seconds: float
) -> None:
    """Compile every source, or leave no output; sources that do not compile are skipped."""
    compiler = runtime.language.compiler
    if compiler is None or folder.is_symlink() or not folder.is_dir():
        return
    _remove_output(folder, compiler.output)
    if (program := find_program(compiler.program(runtime.version))) is None:
        return
    shares: list[list[str]] = [[]]
    if compiler.takes_sources:
        shares = _shares(folder, runtime.language.source.suffixes)
    commands = [
        [program, *compiler.options(runtime.version, folder, installed_at, sources=share)]
        for share in shares
    ]
    if not _USABLE.issuperset(_run_all(commands, compiler.environment, timeout_seconds)):
        _remove_output(folder, compiler.output)


def _shares(folder: Path, suffixes: Sequence[str]) -> list[list[str]]:
    """The paths of what is right below the folder, in shares of about the same size."""
    try:
        sizes = {path: _size_of_sources(path, tuple(suffixes)) for path in folder.iterdir()}
    except RecursionError:
        return [[str(folder)]]
    sources = [path for path, size in sizes.items() if size]
    if not 1 < len(sources) <= _MOST_NAMES:
        return [[str(folder)]]
    shares: list[list[str]] = [[] for _ in range(_SHARES)]
    loads = [0] * _SHARES
    for path in sorted(sources, key=lambda path: (-sizes[path], path)):
        lightest = loads.index(min(loads))
        shares[lightest].append(str(path))
        loads[lightest] += sizes[path]
    return [sorted(share) for share in shares if share]


def _size_of_sources(path: Path, suffixes: tuple[str, ...]) -> int:
    if path.is_file():
        return path.name.endswith(suffixes) * max(1, path.stat().st_size)
    if path.is_symlink():
        return 0
    return sum(
        max(1, os.lstat(os.path.join(folder, name)).st_size)  # noqa: PTH118 - thousands of them
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(suffixes)
    )


def _run_all(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], timeout_seconds: float
) -> list[int | None]:
    """Exit statuses; None for those whose time ran out."""
    deadline = time.monotonic() + timeout_seconds
    processes: list[subprocess.Popen[bytes]] = []
    statuses: list[int | None] = []
    with termination.held():
        try:
            for command in commands:
                started = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
                processes.append(started)
            with termination.allowed():
                for process in processes:
                    try:
                        left = max(0.0, deadline - time.monotonic())
                        statuses.append(process.wait(left))
                    except subprocess.TimeoutExpired:
                        statuses.append(None)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    return statuses


def _remove_output(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        try:
            outputs = list(folder.rglob(name))
        except RecursionError:
            # So deep that it cannot be packed either, which says what is wrong.
            return
        for output in outputs:
            remove(output)
