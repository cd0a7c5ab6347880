"""From the folder as it is now to what has to be started."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kn_lambda.deploying.credential_files import CREDENTIALS_HINT, left_out_text
from kn_lambda.deploying.source_files import read_source
from kn_lambda.running.debugging import NO_TIMEOUT_SECONDS, Debugging
from kn_lambda.running.default_handlers import handler_of
from kn_lambda.running.local_function import local_function, read_request
from kn_lambda.running.prepared_runtime import choose_interpreter
from kn_lambda.running.server_process import ServerCommand
from kn_lambda.running.source_copy import update_copy
from lambda_embedded.processes.environment import inherited_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.deploying.source_files import SourceFile
    from kn_lambda.running.local_function import LocalFunction
    from kn_lambda.running.packages import Packages
    from kn_lambda.running.prepared_runtime import PreparedRuntime, RuntimePreparer
    from kn_lambda.terminal.progress import Progress
    from knative_lambda.domain.names import FunctionId
    from lambda_embedded.processes.interpreters import FoundInterpreter

_MAX_BYTES, _MAX_FILES = 50 * 1024 * 1024, 10_000
_IN_IMAGE = "/runtime/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A function that can be started; `changed` are files that the last process does not have."""

    local: LocalFunction
    command: ServerCommand
    debugging: Debugging | None
    changed: list[str]


@dataclass(kw_only=True)
class Loader:
    """Reads the folder, updates the copy, installs what the source asks for."""

    path: Path
    workspace: Path
    overrides: Overrides
    variables: Callable[[], Mapping[str, str]]
    function: Callable[[DeployRequest], FunctionId]
    machine: Mapping[str, str]
    packages: Packages
    preparer: RuntimePreparer
    progress: Progress
    debug_port: int | None
    _warned: tuple[str, ...] = ()
    _changed: set[str] = field(default_factory=set)
    _chosen: dict[str, FoundInterpreter] = field(default_factory=dict)
    _prepared: PreparedRuntime | None = None

    @property
    def folder(self) -> Path:
        """The person's own folder, with no links in its path."""
        return (self.path if self.path.is_dir() else self.path.parent).resolve()

    async def load(self) -> Loaded:
        """Return what to start; the errors say what is wrong with the source or this machine."""
        request = await asyncio.to_thread(read_request, self.path, self.overrides, self.variables())
        interpreter = await self._choose(str(request.spec["runtime"]))
        name = interpreter.runtime.name
        local = local_function(request, self.function(request), name)
        prepared = await self._prepare(interpreter)
        files = await asyncio.to_thread(self._read, request)
        changed = await asyncio.to_thread(update_copy, files, self.workspace / "source")
        self._changed.update(changed)
        await self.packages.install(self.workspace, files, prepared.runtime)
        debugging = self._debugging(prepared)
        return Loaded(
            local=local,
            command=self._command(local, prepared, debugging),
            debugging=debugging,
            changed=sorted(self._changed),
        )

    def forget_changes(self) -> None:
        """Begin anew with `Loaded.changed`: a process of what was loaded last has started."""
        self._changed.clear()

    async def _choose(self, asked: str) -> FoundInterpreter:
        # Asking interpreters for their versions takes longer than all else of a reload.
        if asked not in self._chosen:
            self._chosen = {asked: await choose_interpreter(asked, self.machine)}
        return self._chosen[asked]

    async def _prepare(self, interpreter: FoundInterpreter) -> PreparedRuntime:
        if self._prepared is None or self._prepared.runtime != interpreter.runtime:
            self._prepared = await self.preparer.prepare(
                interpreter, with_debugger=self.debug_port is not None
            )
        return self._prepared

    def _read(self, request: DeployRequest) -> list[SourceFile]:
        source = read_source(
            self.path, max_bytes=_MAX_BYTES, max_files=_MAX_FILES, include=request.include
        )
        if source.left_out and tuple(source.left_out) != self._warned:
            self._warned = tuple(source.left_out)
            self.progress.warn(left_out_text(source.left_out), CREDENTIALS_HINT)
        return source.files

    def _debugging(self, prepared: PreparedRuntime) -> Debugging | None:
        debugger = prepared.runtime.language.debugger
        if self.debug_port is None or debugger is None:
            return None
        return Debugging(
            debugger=debugger,
            port=self.debug_port or debugger.port,
            packages=prepared.debugger,
            source=self.workspace / "source",
            folder=self.folder,
        )

    def _command(
        self, local: LocalFunction, prepared: PreparedRuntime, debugging: Debugging | None
    ) -> ServerCommand:
        """As the image of the runtime and the platform's Pod together say it."""
        language, source = prepared.runtime.language, self.workspace / "source"
        base = inherited_environment(self.machine)
        home, temporary = self.workspace / "home", self.workspace / "tmp"
        for folder in (home, temporary):
            folder.mkdir(exist_ok=True)
        environment = {
            **base,
            "FUNCTION_HANDLER": handler_of(source, language),
            **language.environment,
            **local.variables,
            "FUNCTION_ROOT": str(self.workspace),
            "PATH": os.pathsep.join((str(prepared.programs), base["PATH"])),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "K_SERVICE": local.function.name,
            "K_CONFIGURATION": local.function.name,
            "K_REVISION": f"{local.function.name}-local",
        }
        if debugging is not None:
            environment["FUNCTION_TIMEOUT_SECONDS"] = str(NO_TIMEOUT_SECONDS)
        arguments = [_installed(word, prepared.server) for word in language.entrypoint]
        return ServerCommand(arguments=arguments, environment=environment, working_directory=source)


def _installed(word: str, server: Path) -> str:
    return str(server / word.removeprefix(_IN_IMAGE)) if word.startswith(_IN_IMAGE) else word
