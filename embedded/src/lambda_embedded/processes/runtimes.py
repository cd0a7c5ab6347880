"""Prepares runtimes: for each an environment of the interpreter and a base image.

What is prepared already costs a few milliseconds and no network.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_builder import __version__ as builder_version
from lambda_builder.base_image import build_base_image
from lambda_builder.errors import BuildError
from lambda_embedded.private_files import write_private
from lambda_embedded.processes.interpreter_environments import (
    InterpreterEnvironments,
    RuntimePreparationError,
)
from lambda_embedded.processes.interpreters import find_interpreters
from lambda_oci.errors import OciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lambda_builder.language import Language
    from lambda_embedded.processes.interpreters import FoundInterpreter


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
        environments = InterpreterEnvironments(
            folder=self.environments, machine=self.environment, progress=self.progress
        )
        # A new environment's folder has no marker, so it gets a new image.
        marker = await environments.prepare(interpreter) / "image.json"
        wanted = await asyncio.to_thread(server_fingerprint, interpreter)
        known = _read(marker)
        has_image = (self.registry / "base" / interpreter.runtime.name / "index.json").exists()
        if known.get("server") == wanted and has_image and "image" in known:
            return known["image"]
        image = await self._build_base_image(interpreter)
        write_private(marker, json.dumps({"server": wanted, "image": image}))
        return image

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


def server_fingerprint(interpreter: FoundInterpreter) -> str:
    """Tell apart what needs a new base image."""
    folder = interpreter.runtime.language.folder
    server = hashlib.sha256(f"{builder_version}\0{interpreter.exact_version}\0".encode())
    for file in _server_files(interpreter.runtime.language):
        server.update(f"{file.relative_to(folder)}\0".encode())
        server.update(file.read_bytes())
    return server.hexdigest()


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
