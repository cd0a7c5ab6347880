"""Prepares interpreters: for each an environment that has what its runtime's server needs.

What is prepared already costs a few milliseconds and no network.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_embedded.languages import find_program
from lambda_embedded.private_files import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lambda_builder.language import Environment
    from lambda_embedded.processes.interpreters import FoundInterpreter

_LAST_LINES = 15
_MARKER = "environment.sha256"


class RuntimePreparationError(Exception):
    """A runtime cannot be prepared; the message holds the installer's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterpreterEnvironments:
    """Environments of interpreters, one folder each below `folder`, by the runtime's name."""

    folder: Path
    machine: Mapping[str, str]
    """This machine's PATH and settings of package index, proxies and certificates."""
    progress: Callable[[str], None]

    async def prepare(self, interpreter: FoundInterpreter) -> Path:
        """Return the folder, whose `bin` comes first on PATH; `RuntimePreparationError`."""
        target = self.folder / interpreter.runtime.name
        marker = target / _MARKER
        wanted = await asyncio.to_thread(_fingerprint, interpreter)
        if not marker.is_file() or marker.read_text() != wanted:
            name = interpreter.runtime.name
            self.progress(f"preparing {name} (once; this takes some seconds)")
            await self._make_environment(interpreter, target)
            write_private(marker, wanted)
        return target

    async def _make_environment(self, interpreter: FoundInterpreter, target: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        if (described := _environment(interpreter)) is not None:
            await self._run(described.command, interpreter, target)
        else:
            _link_program(interpreter, target)

    async def _run(
        self, command: Sequence[str], interpreter: FoundInterpreter, target: Path
    ) -> None:
        """Run the runtime's own program, which makes the environment."""
        name = interpreter.runtime.name
        program = find_program(command[0], path=self.machine.get("PATH"))
        if program is None:
            raise RuntimePreparationError(f"the environment of {name} needs {command[0]!r}")
        process = await asyncio.create_subprocess_exec(
            program,
            *command[1:],
            cwd=interpreter.runtime.language.folder,
            env={
                **self.machine,
                "ENVIRONMENT_DIR": str(target),
                "INTERPRETER": str(interpreter.program),
                "RUNTIME_VERSION": interpreter.runtime.version,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # What it starts ends with it.
            start_new_session=True,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        if process.returncode != 0:
            last = output.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
            raise RuntimePreparationError(
                f"the environment of {name} cannot be made:\n" + "\n".join(last)
            )


def _link_program(interpreter: FoundInterpreter, target: Path) -> None:
    (target / "bin").mkdir(parents=True)
    # By the name under which the base image starts it.
    name = interpreter.runtime.language.entrypoint[0]
    (target / "bin" / name).symlink_to(interpreter.program)


def _environment(interpreter: FoundInterpreter) -> Environment | None:
    described = interpreter.runtime.language.interpreter
    return described.environment if described else None


def _fingerprint(interpreter: FoundInterpreter) -> str:
    """Tell apart what needs a new environment."""
    digest = hashlib.sha256()
    digest.update(f"{interpreter.program}\0{interpreter.exact_version}\0".encode())
    folder = interpreter.runtime.language.folder
    if (described := _environment(interpreter)) is not None:
        digest.update("\0".join(described.command).encode())
        for name in described.inputs:
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()
