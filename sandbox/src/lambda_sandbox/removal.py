"""Removes folders that untrusted code filled, of any depth and with any modes."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o700


def remove_folder(root: Path) -> None:
    """Remove a folder with its content, without following links; what cannot be removed stays.

    `shutil.rmtree` recurses into each level, of which a program can create thousands. Here deeper
    folders are moved to the top instead.
    """
    with contextlib.suppress(OSError):
        if root.is_symlink():
            root.unlink()
            return
        root.chmod(_PRIVATE)
        top = os.open(root, _OPEN)
        try:
            _empty(top)
        finally:
            os.close(top)
        root.rmdir()


def _empty(top: int) -> None:
    prefix = secrets.token_hex(8)
    names = (f"{prefix}-{number}" for number in itertools.count())
    while folders := _without_files(top):
        left = len(folders)
        for name in folders:
            with contextlib.suppress(OSError):
                _dissolve(top, name, names)
                left -= 1
        if left == len(folders):
            return


def _dissolve(top: int, name: str, names: Iterator[str]) -> None:
    """Move the folders in a folder to the top, and remove it."""
    os.chmod(name, _PRIVATE, dir_fd=top)
    folder = os.open(name, _OPEN, dir_fd=top)
    try:
        for inner in _without_files(folder):
            # Only a writable folder can be moved.
            os.chmod(inner, _PRIVATE, dir_fd=folder)
            os.rename(inner, next(names), src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _without_files(folder: int) -> list[str]:
    """Remove everything but folders, and return the names of the folders."""
    with os.scandir(folder) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_folder in entries:
        if not is_folder:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in entries if is_folder]
