"""Prepares runtimes: for each an environment of the interpreter and a base image.

What is prepared already costs a few milliseconds and no network.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_builder import __version__ as builder_version
from lambda_builder.base_image import build_base_image
from lambda_builder.errors import BuildError
from lambda_embedded.languages import find_program
from lambda_embedded.private_files import write_private
from lambda_embedded.processes.interpreters import find_interpreters
from lambda_oci.errors import OciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lambda_builder.language import Environment, Language
    from lambda_embedded.processes.interpreters import FoundInterpreter

_LAST_LINES = 15


class RuntimePreparationError(Exception):
    """A runtime cannot be prepared; the message holds the installer's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimePreparation:
    """Prepares the runtimes of `runtimes/` below two folders of the data folder."""

    runtimes: Path
    languages: Sequence[Language]
    """Those of `runtimes`."""
    environments: Path
    registry: Path
    environment: Mapping[str, str]
    """This machine's PATH and settings of package index, proxies and certificates."""
    progress: Callable[[str], None]

    async def prepare(self, *, every_version: bool = False) -> dict[str, str]:
        """Return the base image's URL by runtime name; `RuntimePreparationError` if one fails."""
        interpreters = await find_interpreters(
            self.languages, self.environment, every_version=every_version
        )
        if not interpreters:
            raise RuntimePreparationError(f"no interpreter here for any runtime of {self.runtimes}")
        images = {}
        for interpreter in interpreters:
            images[interpreter.runtime.name] = await self._prepare(interpreter)
        return images

    async def _prepare(self, interpreter: FoundInterpreter) -> str:
        target = self.environments / interpreter.runtime.name
        marker = target / "prepared.json"
        wanted = await asyncio.to_thread(_fingerprint, interpreter)
        known = _read(marker)
        has_image = (self.registry / "base" / interpreter.runtime.name / "index.json").exists()
        if known.get("environment") == wanted["environment"]:
            if known.get("server") == wanted["server"] and has_image and "image" in known:
                return known["image"]
        else:
            self.progress(f"preparing {interpreter.runtime.name} (once; this takes some seconds)")
            await self._make_environment(interpreter, target)
            write_private(marker, json.dumps({"environment": wanted["environment"]}))
        image = await self._build_base_image(interpreter)
        write_private(marker, json.dumps({**wanted, "image": image}))
        return image

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
        program = find_program(command[0], path=self.environment.get("PATH"))
        if program is None:
            raise RuntimePreparationError(f"the environment of {name} needs {command[0]!r}")
        process = await asyncio.create_subprocess_exec(
            program,
            *command[1:],
            cwd=interpreter.runtime.language.folder,
            env={
                **self.environment,
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

    async def _build_base_image(self, interpreter: FoundInterpreter) -> str:
        folder = self.registry / "base" / interpreter.runtime.name
        try:
            return await asyncio.to_thread(
                build_base_image, interpreter.runtime.name, self.runtimes, folder.as_uri()
            )
        except (BuildError, OciError, OSError) as error:
            raise RuntimePreparationError(
                f"the base image of {interpreter.runtime.name} cannot be built: {error}"
            ) from error


def _link_program(interpreter: FoundInterpreter, target: Path) -> None:
    (target / "bin").mkdir(parents=True)
    # By the name under which the base image starts it.
    name = interpreter.runtime.language.entrypoint[0]
    (target / "bin" / name).symlink_to(interpreter.program)


def _environment(interpreter: FoundInterpreter) -> Environment | None:
    described = interpreter.runtime.language.interpreter
    return described.environment if described else None


def _fingerprint(interpreter: FoundInterpreter) -> dict[str, str]:
    """Tell apart what needs a new environment from what needs a new base image."""
    environment = hashlib.sha256()
    environment.update(f"{interpreter.program}\0{interpreter.exact_version}\0".encode())
    folder = interpreter.runtime.language.folder
    if (described := _environment(interpreter)) is not None:
        environment.update("\0".join(described.command).encode())
        for name in described.inputs:
            environment.update((folder / name).read_bytes())
    server = hashlib.sha256(f"{builder_version}\0{interpreter.exact_version}\0".encode())
    for file in _server_files(interpreter.runtime.language):
        server.update(f"{file.relative_to(folder)}\0".encode())
        server.update(file.read_bytes())
    return {"environment": environment.hexdigest(), "server": server.hexdigest()}


def _server_files(language: Language) -> Iterator[Path]:
    for file in sorted([language.folder / "runtime.toml", *language.server.rglob("*")]):
        if file.is_file() and not set(language.compiled) & set(file.parts):
            yield file


def _read(marker: Path) -> dict[str, str]:
    try:
        known = json.loads(marker.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
