"""Which interpreters of this machine can run which runtimes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROBE_SECONDS = 20.0
_NODE_VERSION = re.compile(r"v([0-9]+)\.[0-9.]+")
_OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A program that runs the functions of one runtime."""

    runtime: str
    language: str
    program: Path
    exact_version: str
    folder: Path
    """`runtimes/<language>`."""


async def find_interpreters(
    runtimes: Path, environment: Mapping[str, str], *, every_version: bool = False
) -> list[Interpreter]:
    """Interpreters for the versions that the `runtime.toml` files list.

    For Python only the one that runs the platform, unless `every_version` on PATH is asked for.
    """
    found = []
    for language, version, folder in _versions(runtimes):
        if language == "python" and version != _OWN_PYTHON and not every_version:
            continue
        candidate = await _find(language, version, environment)
        if candidate:
            program, exact_version = candidate
            interpreter = Interpreter(
                runtime=f"{language}{version}",
                language=language,
                program=program,
                exact_version=exact_version,
                folder=folder,
            )
            found.append(interpreter)
    return found


def _versions(runtimes: Path) -> list[tuple[str, str, Path]]:
    """Language, version and folder of every runtime."""
    versions = []
    for file in sorted(runtimes.glob("*/runtime.toml")):
        document = tomllib.loads(file.read_text())
        versions += [(document["language"], each, file.parent) for each in document["versions"]]
    return versions


async def _find(
    language: str, version: str, environment: Mapping[str, str]
) -> tuple[Path, str] | None:
    match language:
        case "python" if version == _OWN_PYTHON:
            return Path(sys.executable), sys.version
        case "python":
            # A name on PATH may be a version manager's shim for what is not installed.
            script = "import sys; print(sys.executable); print(sys.version)"
            answer = await _ask([f"python{version}", "-I", "-c", script], environment)
            program, _, exact = answer.partition("\n")
            return (Path(program), exact) if exact else None
        case "nodejs":
            answer = await _ask(["node", "--version"], environment)
            match = _NODE_VERSION.fullmatch(answer.strip())
            node = shutil.which("node", path=environment.get("PATH"))
            if match and match[1] == version and node:
                return Path(node), match[0]
    return None


async def _ask(command: list[str], environment: Mapping[str, str]) -> str:
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
