"""A runtime of this machine, ready to start: interpreter, server, and perhaps a debugger."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.deploying.runtimes import resolve_runtime
from kn_lambda.deploying.source_files import read_source
from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.languages import language_names, languages
from kn_lambda.running.places import held_in_turn
from kn_lambda.running.source_copy import update_copy
from lambda_builder.compilation import compile_folder
from lambda_embedded.processes.interpreter_environments import InterpreterEnvironments
from lambda_embedded.processes.interpreters import find_interpreters
from lambda_embedded.processes.runtimes import server_fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kn_lambda.running.packages import Packages
    from kn_lambda.running.places import Places
    from lambda_builder.language import Language
    from lambda_builder.runtime import Runtime
    from lambda_embedded.processes.interpreters import FoundInterpreter

_COMPILE_SECONDS = 120.0
_MAX_BYTES, _MAX_FILES = 2**20, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedRuntime:
    """What starts a function of a runtime."""

    runtime: Runtime
    programs: Path
    """First on PATH."""
    server: Path
    """In the place of `/runtime` of an image."""
    debugger: Path | None = None
    """The packages of the debugger, if it has some."""


async def choose_interpreter(asked: str, machine: Mapping[str, str]) -> FoundInterpreter:
    """Return what runs the runtime `asked` here, with or without a version.

    Of a language without a version it is the one that a platform on this machine would choose.
    """
    named = [language for language in languages() if asked.startswith(language.name)]
    if not named:
        raise WrongUsageError(
            f"runtime: {asked!r} is no language that runs here",
            hint=f"Choose one of {', '.join(language_names())}.",
        )
    found = await find_interpreters(named, machine)
    if asked not in {each.runtime.name for each in found} and asked not in _names(named):
        found = await find_interpreters(named, machine, every_version=True)
    if not found:
        raise _not_installed(asked, named[0])
    name = resolve_runtime(asked, [each.runtime.name for each in found])
    return next(each for each in found if each.runtime.name == name)


def _names(known: list[Language]) -> set[str]:
    return {language.name for language in known}


def _not_installed(asked: str, language: Language) -> CommandError:
    interpreter = language.interpreter
    versions = ", ".join(language.versions)
    return CommandError(
        f"there is no {language.title} here that runs the runtime {asked} (versions: {versions})",
        hint=f"Install one: {interpreter.install}" if interpreter else "Deploy it to a cluster.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimePreparer:
    """Prepares runtimes; what is prepared already takes milliseconds."""

    places: Places
    machine: Mapping[str, str]
    packages: Packages
    progress: Callable[[str], None]

    async def prepare(
        self, interpreter: FoundInterpreter, *, with_debugger: bool
    ) -> PreparedRuntime:
        """Return the runtime; `RuntimePreparationError`, `InstallationError`, `CommandError`."""
        runtime = interpreter.runtime
        folder = self.places.of_runtime(runtime.name)
        async with held_in_turn(folder):
            environments = InterpreterEnvironments(
                folder=folder / "environment", machine=self.machine, progress=self.progress
            )
            environments.folder.mkdir(exist_ok=True)
            environment = await environments.prepare(interpreter)
            server = await asyncio.to_thread(_copy_server, interpreter, folder / "server")
            debugger = None
            if with_debugger:
                debugger = await self._install_debugger(runtime, folder / "debugger")
        return PreparedRuntime(
            runtime=runtime, programs=environment / "bin", server=server, debugger=debugger
        )

    async def _install_debugger(self, runtime: Runtime, folder: Path) -> Path | None:
        debugger = runtime.language.debugger
        if debugger is None:
            raise CommandError(
                f"--debug: {runtime.language.title} has no debugger here",
                hint="Start it without --debug.",
            )
        if debugger.requirements is None:
            return None
        source = read_source(debugger.requirements, max_bytes=_MAX_BYTES, max_files=_MAX_FILES)
        update_copy(source.files, folder / "source")
        await self.packages.install(folder, source.files, runtime)
        return folder / runtime.language.packages


def _copy_server(interpreter: FoundInterpreter, target: Path) -> Path:
    """Copy and compile the server: a start from the installation would compile it each time."""
    marker = target.with_name("server.sha256")
    wanted = server_fingerprint(interpreter)
    if marker.is_file() and marker.read_text() == wanted:
        return target
    marker.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    runtime = interpreter.runtime
    shutil.copytree(
        runtime.language.server, target, ignore=shutil.ignore_patterns(*runtime.language.compiled)
    )
    compile_folder(target, runtime, installed_at=str(target), timeout_seconds=_COMPILE_SECONDS)
    marker.write_text(wanted)
    return target
