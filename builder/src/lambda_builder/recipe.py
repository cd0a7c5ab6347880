"""Runs the recipes of a runtime as docs/BUILD_AND_RUNTIME.md, "Contract of a runtime", says."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.errors import BuildError, PlatformError, UserError
from lambda_builder.foreign_json import read_json_object
from lambda_builder.own_interpreter import with_own_packages
from lambda_builder.process_group import run_in_process_group
from lambda_builder.workspace import Workspace
from lambda_oci.folders import remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_builder.language import Installer
    from lambda_builder.runtime import Runtime
    from lambda_builder.settings import InstallSettings

_RESULT_BYTES = 64 * 1024
_UNEXPLAINED = "RecipeFailed"
_REASON = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
# What any installer needs of the machine to reach its index; runtime.toml says what its own needs
# besides. Anything else that tools read (targets, tokens for publishing) stays outside.
_PASSED = re.compile(
    r"SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(HTTP|HTTPS|ALL|NO)_PROXY", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """One program of a runtime, with a home that no other step has."""

    command: Sequence[str]
    name: str
    workspace: Workspace

    @property
    def folder(self) -> Path:
        return self.workspace.scratch / self.name

    @property
    def result_file(self) -> Path:
        return self.folder / "result.json"


def run_recipes(settings: InstallSettings, runtime: Runtime, packages: Path) -> bool:
    """Fill `packages` and the lock; whether everything was named by hashes.

    The recipe downloads, and has the index's credentials. Then, if the policy allows that packages
    are built and the runtime has a program for it, that one builds them: it has neither credentials
    nor network, and the folder of downloads in common with the recipe.

    Reasons besides those of the recipes: `BuildTimeout` (the user's: the same source takes as long
    again), `ProcessesLeft` (the user's), `RecipeKilled` and `RecipeFailed` (the platform's), and
    `PackageBuildFailed` (the user's) for a step with code of others that does not say why.
    """
    deadline = time.monotonic() + settings.timeout_seconds
    language, workspace = runtime.language, Workspace(settings.workspace)
    for folder in (packages, workspace.scratch / "downloads"):
        folder.mkdir(parents=True)
    step = _Step(command=language.recipe, name="download", workspace=workspace)
    environment = recipe_environment(settings, runtime, packages, step.folder)
    result = _run(step, settings, runtime, environment, deadline)
    if language.source_recipe and settings.allow_source_packages:
        offline = [sys.executable, "-I", "-m", "lambda_builder.offline", "--"]
        command = with_own_packages([*offline, *language.source_recipe])
        step = _Step(command=command, name="build", workspace=workspace)
        environment = source_recipe_environment(settings, runtime, packages, step.folder)
        try:
            _run(step, settings, runtime, environment, deadline)
        except PlatformError as error:
            if error.reason != _UNEXPLAINED:
                raise
            # Code of others ran there, and will do the same the next time.
            raise UserError("PackageBuildFailed", error.message) from None
    return result.get("pinned") is True


def _run(
    step: _Step,
    settings: InstallSettings,
    runtime: Runtime,
    environment: Mapping[str, str],
    deadline: float,
) -> dict[str, object]:
    """Run a step to its end; what it left as its result."""
    for folder in (step.folder / "home", step.folder / "tmp"):
        folder.mkdir(parents=True)
    try:
        status = run_in_process_group(
            step.command,
            folder=runtime.language.folder,
            environment=environment,
            timeout_seconds=max(0.1, deadline - time.monotonic()),
        )
        result = read_json_object(step.result_file, max_bytes=_RESULT_BYTES) or {}
    except (FileNotFoundError, PermissionError):
        message = f"the recipe's program {step.command[0]!r} cannot be started"
        raise PlatformError("RecipeFailed", message) from None
    finally:
        # The next step finds nothing of this one: settings with credentials, or code of others.
        remove(step.folder)
    if status is None:
        limit = settings.timeout_seconds
        raise UserError("BuildTimeout", f"installing the packages took longer than {limit} seconds")
    if status != 0:
        raise _failure(status, result)
    return result


def recipe_environment(
    settings: InstallSettings, runtime: Runtime, packages: Path, step_folder: Path
) -> dict[str, str]:
    """The environment of a recipe; nothing else of ours reaches it."""
    machine, installer = settings.machine, runtime.language.installer
    environment = {
        name: value
        for name, value in machine.items()
        if _PASSED.fullmatch(name) or installer.reads(name)
    }
    environment |= settings_files(installer, machine)
    environment |= _common_environment(settings, runtime, packages, step_folder)
    environment |= settings.policy
    if settings.package_index_url:
        environment["PACKAGE_INDEX_URL"] = settings.package_index_url
    if settings.index_credentials is not None:
        environment["PACKAGE_INDEX_USERNAME"] = settings.index_credentials.username
        environment["PACKAGE_INDEX_PASSWORD"] = settings.index_credentials.password
    return environment


def source_recipe_environment(
    settings: InstallSettings, runtime: Runtime, packages: Path, step_folder: Path
) -> dict[str, str]:
    """The environment of a program that runs code of others: of the machine, PATH alone."""
    return _common_environment(settings, runtime, packages, step_folder)


def _common_environment(
    settings: InstallSettings, runtime: Runtime, packages: Path, step_folder: Path
) -> dict[str, str]:
    workspace = Workspace(settings.workspace)
    own, found = str(Path(sys.executable).parent), settings.machine.get("PATH", os.defpath)
    environment = {
        "SOURCE_DIR": str(workspace.source),
        "PACKAGES_DIR": str(packages),
        "DOWNLOADS_DIR": str(workspace.scratch / "downloads"),
        "LOCK_FILE": str(workspace.lock),
        "RUNTIME_VERSION": runtime.version,
        "RESULT_FILE": str(step_folder / "result.json"),
        "HOME": str(step_folder / "home"),
        "TMPDIR": str(step_folder / "tmp"),
        # The interpreter and the tools that this program came with are found first.
        "PATH": os.pathsep.join((own, found)),
        # So are the packages, which a recipe keeps from what it runs.
        "PYTHONPATH": _own_packages(),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if settings.allow_source_packages:
        environment["ALLOW_SOURCE_PACKAGES"] = "true"
    return environment


def _own_packages() -> str:
    """The folder of the packages that this program came with, wherever the machine looks first."""
    found = find_spec("packaging")
    if found is None or found.origin is None:
        raise PlatformError("InstallerMissing", "the builder's own packages are not installed")
    return str(Path(found.origin).parents[1])


def settings_files(installer: Installer, machine: Mapping[str, str]) -> dict[str, str]:
    """Variables that name an installer's settings files; a recipe has another HOME than these."""
    home = Path(machine.get("HOME", "/nonexistent"))
    known = {name.lower() for name in machine}
    return {
        name: str(home / file)
        for name, file in installer.settings_files.items()
        if name.lower() not in known and (home / file).is_file()
    }


def _failure(status: int, result: Mapping[str, object]) -> BuildError:
    if status < 0:
        name = signal.Signals(-status).name
        hint = "; it may have run out of memory" if name == "SIGKILL" else ""
        return PlatformError("RecipeKilled", f"the recipe was ended by {name}{hint}")
    reason, message = result.get("reason"), result.get("message")
    if (
        status not in {UserError.exit_code, PlatformError.exit_code}
        or not isinstance(reason, str)
        or not isinstance(message, str)
        or not _REASON.fullmatch(reason)
    ):
        return PlatformError(_UNEXPLAINED, f"the recipe ended with status {status}; see the log")
    kind = UserError if status == UserError.exit_code else PlatformError
    return kind(reason, message)


def clear(workspace: Workspace, packages: Path) -> None:
    """Remove what an earlier run left."""
    for path in (packages, workspace.lock, workspace.scratch):
        remove(path)
