"""Whether the embedded platform of a data folder runs, and how to start and stop it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from kn_lambda.errors import UnreachableError
from kn_lambda.program import program

DEFAULT_HOME = Path("~/.local/share/knative-lambda")


def require_running(home: Path) -> None:
    """Raise `UnreachableError` with the way out unless the platform of this folder is ready."""
    from lambda_embedded.data_folder import DataFolder  # noqa: PLC0415 # a quick start of --help

    if not DataFolder(home).is_locked():
        raise UnreachableError(
            f"the platform in {home} is not running", hint=f"Start it: {command_for('up', home)}"
        )
    if not platform_info(home):
        raise UnreachableError(
            f"the platform in {home} is starting or stopping",
            hint=f"Try again in a moment. See its state: {command_for('status', home)}",
        )


def platform_info(home: Path) -> dict[str, object]:
    """Return the contents of `platform.json`; empty if no embedded platform runs there."""
    try:
        facts = json.loads((home / "platform.json").read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def command_for(command: str, home: Path) -> str:
    """Return a command line for this folder, as short as possible, for the user to copy."""
    return shlex.join([program(), command, *home_flags(home)])


def in_use_hint(home: Path) -> str:
    """Return what to do if a platform runs on this folder, but another should start."""
    return f"Stop it: {command_for('down', home)}\nOr name another folder with --home."


def home_flags(home: Path) -> list[str]:
    """Return the option that selects the folder; none for the default one."""
    return [] if home == DEFAULT_HOME.expanduser() else ["--home", str(home)]
