"""Removes the data folder of the embedded platform, and nothing that the platform did not make."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.cluster.disk_usage import disk_usage
from kn_lambda.cluster.running import command_for
from kn_lambda.errors import CommandError
from kn_lambda.local_platform.detached import LOG
from lambda_embedded.data_folder import DataFolder, DataFolderInUseError
from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from pathlib import Path

# Files that are written beside their place first, and those of SQLite.
_TEMPORARY = re.compile(r"\.(?:token|kubeconfig|api\.pem|platform\.json|ports\.json)\.\d+")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A file or folder of the data folder."""

    path: Path
    size: int


def data_parts(home: Path) -> list[Part]:
    """Return what is in a data folder, by name; nothing if there is no folder.

    `CommandError` if the folder is not one that the platform made, or has anything else in it.
    """
    if not os.path.lexists(home):
        return []
    if home.is_symlink():
        raise CommandError(
            f"{home} is a link to {home.readlink()}; nothing was removed",
            hint="Name the folder itself with --home.",
        )
    try:
        entries = sorted(home.iterdir())
    except OSError as error:
        raise CommandError(
            f"cannot read {home}: {error.strerror}; nothing was removed",
            hint="Name a data folder of your own with --home.",
        ) from error
    _require_own(home, entries)
    return [Part(path=entry, size=disk_usage(entry)) for entry in entries]


def remove_data(home: Path) -> None:
    """Remove a data folder after all checks of `data_parts`; no platform can start meanwhile.

    `CommandError` if a platform runs, or if something cannot be removed. Links are removed, and
    what they point to stays.
    """
    parts, folder = data_parts(home), DataFolder(home)
    try:
        with folder.lock():
            for part in parts:
                if part.path != folder.lock_file:
                    _remove(part.path)
            _remove(folder.lock_file)
    except DataFolderInUseError as error:
        raise running_error(home) from error
    try:
        home.rmdir()
    except OSError as error:
        raise CommandError(
            f"{home} could not be removed: {error.strerror}", hint="Remove it by hand."
        ) from error


def running_error(home: Path) -> CommandError:
    """Return the error that a platform runs on the folder, so that its data must stay."""
    return CommandError(
        f"a platform runs on {home}; nothing was removed",
        hint=f"Stop it: {command_for('down', home)}",
    )


def _require_own(home: Path, entries: list[Path]) -> None:
    folder = DataFolder(home)
    database = folder.database.name
    known = {path.name for path in (*folder.files, *folder.folders)} | {
        LOG, folder.run.name, f"{database}-wal", f"{database}-shm", f"{database}-journal",
    }  # fmt: skip
    foreign = [
        entry.name
        for entry in entries
        if entry.name not in known and not _TEMPORARY.fullmatch(entry.name)
    ]
    # They are there since the first start, whatever became of it.
    is_ours = all(map(os.path.lexists, folder.folders)) and _is_file_if_any(folder.lock_file)
    if not foreign and is_ours and all(_is_of_user(path) for path in (home, *entries)):
        return
    names = ", ".join(repr(name) for name in foreign[:_SHOWN])
    more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    why = f"it also has {names}{more}" if foreign and is_ours else "the platform did not make it"
    raise CommandError(
        f"{home} is not a data folder to remove: {why}; nothing was removed",
        hint="Name a data folder with --home, and move other files out of it.",
    )


def _is_file_if_any(path: Path) -> bool:
    return not os.path.lexists(path) or stat.S_ISREG(path.lstat().st_mode)


def _is_of_user(path: Path) -> bool:
    return path.lstat().st_uid == os.geteuid()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)
    if os.path.lexists(path):
        raise CommandError(f"{path} could not be removed", hint="Remove it by hand.")
