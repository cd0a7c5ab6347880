"""Runs a runtime's recipe as docs/BUILD_AND_RUNTIME.md, "Contract of a runtime", says."""

from __future__ import annotations

import os
import re
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.errors import BuildError, PlatformError, UserError
from lambda_builder.foreign_json import read_json_object
from lambda_builder.process_group import run_in_process_group
from lambda_builder.workspace import Workspace
from lambda_oci.folders import remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_builder.language import Installer
    from lambda_builder.runtime import Runtime
    from lambda_builder.settings import BuildSettings

_RESULT_BYTES = 64 * 1024
# What any installer needs of the machine to reach its index; runtime.toml says what its own needs
# besides. Anything else that tools read (targets, tokens for publishing) stays outside.
_PASSED = re.compile(
    r"SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(HTTP|HTTPS|ALL|NO)_PROXY", re.IGNORECASE
)


def run_recipe(settings: BuildSettings, runtime: Runtime, packages: Path) -> None:
    """Fill `packages` and the lock.

    Reasons besides the recipe's own: `BuildTimeout` (the user's: the same source takes as long
    again), `RecipeKilled` and `RecipeFailed` (the platform's).
    """
    workspace = Workspace(settings.workspace)
    result_file = workspace.scratch / "result.json"
    for folder in (packages, workspace.scratch / "home", workspace.scratch / "tmp"):
        folder.mkdir(parents=True)
    environment = recipe_environment(settings, runtime, packages, result_file)
    try:
        status = run_in_process_group(
            runtime.language.recipe,
            folder=runtime.language.folder,
            environment=environment,
            timeout_seconds=settings.timeout_seconds,
        )
    except (FileNotFoundError, PermissionError):
        message = f"the recipe's program {runtime.language.recipe[0]!r} cannot be started"
        raise PlatformError("RecipeFailed", message) from None
    if status is None:
        limit = settings.timeout_seconds
        raise UserError("BuildTimeout", f"installing the packages took longer than {limit} seconds")
    if status != 0:
        raise _failure(status, result_file)


def recipe_environment(
    settings: BuildSettings, runtime: Runtime, packages: Path, result_file: Path
) -> dict[str, str]:
    """The environment of a recipe; nothing else of ours reaches it."""
    workspace, machine = Workspace(settings.workspace), settings.machine
    installer = runtime.language.installer
    environment = {
        name: value
        for name, value in machine.items()
        if _PASSED.fullmatch(name) or installer.reads(name)
    }
    environment |= settings_files(installer, machine)
    environment |= {
        "SOURCE_DIR": str(workspace.source),
        "PACKAGES_DIR": str(packages),
        "LOCK_FILE": str(workspace.lock),
        "RUNTIME_VERSION": runtime.version,
        "RESULT_FILE": str(result_file),
        "HOME": str(workspace.scratch / "home"),
        "TMPDIR": str(workspace.scratch / "tmp"),
        # The interpreter and the tools that this program came with are found first.
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), machine.get("PATH", os.defpath))
        ),
        # So are the packages, which a recipe keeps from what it runs.
        "PYTHONPATH": _own_packages(),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if settings.package_index_url:
        environment["PACKAGE_INDEX_URL"] = settings.package_index_url
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


def _failure(status: int, result_file: Path) -> BuildError:
    if status < 0:
        name = signal.Signals(-status).name
        hint = "; it may have run out of memory" if name == "SIGKILL" else ""
        return PlatformError("RecipeKilled", f"the recipe was ended by {name}{hint}")
    result = _result(result_file)
    if result is None or status not in {UserError.exit_code, PlatformError.exit_code}:
        return PlatformError("RecipeFailed", f"the recipe ended with status {status}; see the log")
    kind = UserError if status == UserError.exit_code else PlatformError
    return kind(*result)


def _result(file: Path) -> tuple[str, str] | None:
    """Reason and message the recipe left."""
    document = read_json_object(file, max_bytes=_RESULT_BYTES) or {}
    reason, message = document.get("reason"), document.get("message")
    if not isinstance(reason, str) or not isinstance(message, str):
        return None
    return (reason, message) if re.fullmatch(r"[A-Z][A-Za-z0-9]{0,63}", reason) else None


def clear(workspace: Workspace, packages: Path) -> None:
    """Remove what an earlier run of this step left."""
    for path in (packages, workspace.lock, workspace.scratch):
        remove(path)
