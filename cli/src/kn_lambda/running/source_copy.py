"""A copy of a source with the files that a deployment would have, and no others.

The function runs from there: it sees what it will see on a platform, a save in the middle of a
start changes nothing, and nothing is ever written into the person's own folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kn_lambda.deploying.source_files import SourceFile

_MODE, _EXECUTABLE_MODE = 0o644, 0o755


def update_copy(files: Sequence[SourceFile], target: Path) -> list[str]:
    """Make `target` hold exactly these files; return the paths that changed, in order."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = {file.path for file in files}
    changed = [path for path in _existing(target) if path not in wanted]
    for path in changed:
        (target / path).unlink()
    _remove_empty_folders(target)
    changed += [file.path for file in files if _write(file, target / file.path)]
    return sorted(changed)


def _existing(target: Path) -> list[str]:
    return [
        path.relative_to(target).as_posix()
        for path in target.rglob("*")
        if path.is_symlink() or not path.is_dir()
    ]


def _remove_empty_folders(target: Path) -> None:
    for folder, _, _ in os.walk(target, topdown=False):
        if folder != str(target) and not os.listdir(folder):  # noqa: PTH208  # as os.walk does
            os.rmdir(folder)  # noqa: PTH106  # the same


def _write(file: SourceFile, path: Path) -> bool:
    mode = _EXECUTABLE_MODE if file.is_executable else _MODE
    if path.is_file() and not path.is_symlink():
        is_same_mode = bool(path.stat().st_mode & 0o100) == file.is_executable
        if is_same_mode and path.read_bytes() == file.content:
            return False
    elif path.is_dir() and not path.is_symlink():
        remove_folder(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:200]}.part")
    part.write_bytes(file.content)
    part.chmod(mode)
    part.replace(path)
    return True
