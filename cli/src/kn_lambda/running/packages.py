"""Installs the packages that a source asks for, by the recipe that a build uses."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.running.terminal_log import TerminalLog
from lambda_builder import __version__ as builder_version
from lambda_builder.own_interpreter import with_own_packages
from lambda_embedded.jobs.machine_environment import machine_environment
from lambda_sandbox.children import start_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kn_lambda.deploying.source_files import SourceFile
    from lambda_builder.runtime import Runtime
    from lambda_sandbox.isolation import Isolation

_TIMEOUT_SECONDS = 900
# What the settings of build-start say on a platform of this machine.
_SETTINGS = {
    "KN_LAMBDA_PACKAGE_INDEX_URL": "PACKAGE_INDEX_URL",
    "KN_LAMBDA_ALLOW_SOURCE_PACKAGES": "ALLOW_SOURCE_PACKAGES",
}
_OWN_INDEXES = "KN_LAMBDA_PACKAGE_INDEXES"


class InstallationError(Exception):
    """The packages cannot be installed; the message has the reason and the installer's words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packages:
    """Installs into workspaces, below a data folder's caches."""

    machine: Mapping[str, str]
    """This machine's PATH and settings of package index, proxies and certificates."""
    caches: Path
    isolation: Isolation
    show: Callable[[str], None]

    async def install(self, workspace: Path, files: Sequence[SourceFile], runtime: Runtime) -> bool:
        """Install unless these files asked for the same before; return whether anything was done.

        The source is in the workspace already, as is what this leaves there.
        """
        marker = workspace / "installed.sha256"
        wanted = _fingerprint(files, runtime)
        if marker.is_file() and marker.read_text() == wanted:
            return False
        marker.unlink(missing_ok=True)
        message = workspace / "message.json"
        message.unlink(missing_ok=True)
        child = await start_process(
            with_own_packages([sys.executable, "-I", "-m", "lambda_builder.install"]),
            environment=self._environment(workspace, runtime, message),
            working_directory=workspace,
            log=TerminalLog(self.show),
            data_folder=workspace,
            isolation=self.isolation,
        )
        try:
            status = await child.wait()
        except asyncio.CancelledError:
            # Another one may install into the same folder next.
            await asyncio.shield(child.stop(0))
            raise
        if status != 0:
            raise InstallationError(_reason(message) or f"the installer ended with {status}")
        marker.write_text(wanted)
        return True

    def _environment(self, workspace: Path, runtime: Runtime, message: Path) -> dict[str, str]:
        machine = self.machine
        return {
            **machine_environment(machine, self.caches, [runtime.language.installer]),
            **{ours: machine[name] for name, ours in _SETTINGS.items() if machine.get(name)},
            **_own_index(machine.get(_OWN_INDEXES) or "{}", runtime.language.name),
            "BUILD_WORKSPACE": str(workspace),
            "BUILD_TIMEOUT_SECONDS": str(_TIMEOUT_SECONDS),
            "RUNTIME": runtime.name,
            "RUNTIMES_DIR": str(runtime.language.folder.parent),
            "TERMINATION_MESSAGE_PATH": str(message),
        }


def _own_index(text: str, language: str) -> dict[str, str]:
    try:
        match json.loads(text).get(language):
            case None:
                return {}
            case str(url):
                return {"PACKAGE_INDEX_URL": url}
    except (ValueError, AttributeError, RecursionError):
        pass  # as wrong as an address that is no text
    raise InstallationError(f'{_OWN_INDEXES} must be JSON such as {{"<language>": "https://..."}}')


def _fingerprint(files: Sequence[SourceFile], runtime: Runtime) -> str:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 # only where it is needed

    inputs = GitIgnoreSpec.from_lines(runtime.language.installer.inputs)
    digest = hashlib.sha256(f"{runtime.name}\0{builder_version}\0".encode())
    for file in files:
        if inputs.match_file(file.path):
            content = hashlib.sha256(file.content).hexdigest()
            digest.update(f"{file.path}\0{content}\0".encode())
    return digest.hexdigest()


def _reason(message: Path) -> str:
    try:
        said = json.loads(message.read_text())
        return f"{said['reason']}: {said['message']}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""
