"""Prepares runtimes: for each an environment of the interpreter and a base image.

What is prepared already costs a few milliseconds and no network.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv import find_uv_bin

from lambda_builder import __version__ as builder_version
from lambda_builder.base_image import build_base_image
from lambda_builder.errors import BuildError
from lambda_embedded.private_files import write_private
from lambda_embedded.processes.interpreters import find_interpreters
from lambda_oci.errors import OciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lambda_embedded.processes.interpreters import Interpreter

_LAST_LINES = 15


class RuntimePreparationError(Exception):
    """A runtime cannot be prepared; the message holds the installer's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimePreparation:
    """Prepares the runtimes of `runtimes/` below two folders of the data folder."""

    runtimes: Path
    environments: Path
    registry: Path
    environment: Mapping[str, str]
    """This machine's PATH and settings of package index, proxies and certificates."""
    progress: Callable[[str], None]

    async def prepare(self, *, every_version: bool = False) -> dict[str, str]:
        """Return the base image's URL by runtime name; `RuntimePreparationError` if one fails."""
        interpreters = await find_interpreters(
            self.runtimes, self.environment, every_version=every_version
        )
        if not interpreters:
            raise RuntimePreparationError(f"no interpreter here for any runtime of {self.runtimes}")
        images = {}
        for interpreter in interpreters:
            images[interpreter.runtime] = await self._prepare(interpreter)
        return images

    async def _prepare(self, interpreter: Interpreter) -> str:
        target = self.environments / interpreter.runtime
        marker = target / "prepared.json"
        wanted = await asyncio.to_thread(_fingerprint, interpreter)
        known = _read(marker)
        has_image = (self.registry / "base" / interpreter.runtime / "index.json").exists()
        if known.get("environment") == wanted["environment"]:
            if known.get("server") == wanted["server"] and has_image and "image" in known:
                return known["image"]
        else:
            self.progress(f"preparing {interpreter.runtime} (once; this takes some seconds)")
            await self._make_environment(interpreter, target)
            write_private(marker, json.dumps({"environment": wanted["environment"]}))
        image = await self._build_base_image(interpreter)
        write_private(marker, json.dumps({**wanted, "image": image}))
        return image

    async def _make_environment(self, interpreter: Interpreter, target: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        if interpreter.language == "python":
            await self._make_virtual_environment(interpreter, target)
        else:
            _link_program(interpreter, target)

    async def _make_virtual_environment(self, interpreter: Interpreter, target: Path) -> None:
        requirements = interpreter.folder / "requirements.txt"
        python = target / "bin" / "python"
        await self._run(["venv", "--python", str(interpreter.program),
                         str(target)])  # fmt: skip
        await self._run(["pip", "sync", "--require-hashes", "--compile-bytecode",
                         "--python", str(python), str(requirements)])  # fmt: skip

    async def _run(self, arguments: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            find_uv_bin(),
            "--no-progress",
            *arguments,
            # Away from any project, whose settings are not meant for us.
            cwd=self.environments,
            env=dict(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            last = output.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
            raise RuntimePreparationError(f"uv {arguments[0]} failed:\n" + "\n".join(last))

    async def _build_base_image(self, interpreter: Interpreter) -> str:
        folder = self.registry / "base" / interpreter.runtime
        try:
            return await asyncio.to_thread(
                build_base_image, interpreter.runtime, self.runtimes, folder.as_uri()
            )
        except (BuildError, OciError, OSError) as error:
            raise RuntimePreparationError(
                f"the base image of {interpreter.runtime} cannot be built: {error}"
            ) from error


def _link_program(interpreter: Interpreter, target: Path) -> None:
    (target / "bin").mkdir(parents=True)
    (target / "bin" / interpreter.program.name).symlink_to(interpreter.program)


def _fingerprint(interpreter: Interpreter) -> dict[str, str]:
    """Tell apart what needs a new environment from what needs a new base image."""
    environment = hashlib.sha256()
    environment.update(f"{interpreter.program}\0{interpreter.exact_version}\0".encode())
    requirements = interpreter.folder / "requirements.txt"
    if requirements.exists():
        environment.update(requirements.read_bytes())
    server = hashlib.sha256(f"{builder_version}\0{interpreter.exact_version}\0".encode())
    for file in _server_files(interpreter.folder):
        server.update(f"{file.relative_to(interpreter.folder)}\0".encode())
        server.update(file.read_bytes())
    return {"environment": environment.hexdigest(), "server": server.hexdigest()}


def _server_files(folder: Path) -> Iterator[Path]:
    for file in sorted([folder / "runtime.toml", *(folder / "server").rglob("*")]):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def _read(marker: Path) -> dict[str, str]:
    try:
        known = json.loads(marker.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
