"""Which interpreters of this machine can run which runtimes."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.runtime import runtimes_of
from lambda_embedded.languages import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambda_builder.language import Interpreter, Language
    from lambda_builder.runtime import Runtime

_PROBE_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundInterpreter:
    """A program that runs the functions of one runtime."""

    runtime: Runtime
    program: Path
    exact_version: str


async def find_interpreters(
    languages: Iterable[Language], environment: Mapping[str, str], *, every_version: bool = False
) -> list[FoundInterpreter]:
    """Interpreters for the versions that the languages list.

    Of a language that has the interpreter of the platform itself only that one, unless
    `every_version` on PATH is asked for.
    """
    machine = _Machine(environment)
    found = []
    for language in languages:
        if (interpreter := language.interpreter) is None:
            continue
        for runtime in _candidates(language, every_version=every_version):
            candidate = await machine.find(runtime, interpreter)
            if candidate is not None:
                program, exact_version = candidate
                found.append(
                    FoundInterpreter(runtime=runtime, program=program, exact_version=exact_version)
                )
    return found


def _candidates(language: Language, *, every_version: bool) -> Iterator[Runtime]:
    others = every_version or not is_own(language)
    for runtime in runtimes_of(language):
        if others or is_own(language, runtime.version):
            yield runtime


class _Machine:
    """What the programs on PATH say of themselves; each command is run once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._replies: dict[tuple[str, ...], str] = {}

    async def find(self, runtime: Runtime, interpreter: Interpreter) -> tuple[Path, str] | None:
        """The program, and what exactly it is; None where there is none of that version."""
        if is_own(runtime.language, runtime.version):
            return Path(sys.executable), sys.version
        command = interpreter.probe_of(runtime.version)
        if command not in self._replies:
            self._replies[command] = await _ask(command, self._environment)
        match = interpreter.reply.fullmatch(self._replies[command])
        if match is None or match["version"] != runtime.version:
            return None
        groups = match.groupdict()
        program = groups.get("program") or shutil.which(
            command[0], path=self._environment.get("PATH")
        )
        return (Path(program), groups.get("exact") or match[0]) if program else None


async def _ask(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """What a program says of itself; nothing when it is not there or does not work."""
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        program,
        *command[1:],
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return output.decode(errors="replace").strip() if process.returncode == 0 else ""
