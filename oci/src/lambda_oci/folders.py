"""Folders and files that appear complete or not at all, also when the machine stops halfway."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_OWNERS = 0o700


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill: renamed to `target` when the block succeeds, removed when it raises.

    An older `target` is replaced. Two writers take turns; what a killed process left is removed.
    """
    partial = _partial(target)
    with locked_folder(partial), _emptied(partial):
        yield partial
        remove(target)
        partial.rename(target)


def fill_once(target: Path, fill: Callable[[Path], None]) -> None:
    """Let the first caller fill `target`; it appears complete and is never filled again."""
    if target.is_dir():
        return
    partial = _partial(target)
    with locked_folder(partial):
        if target.is_dir():
            remove(partial)
            return
        with _emptied(partial):
            fill(partial)
            partial.rename(target)


def _partial(target: Path) -> Path:
    return target.with_name(f"{target.name}.partial")


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Start with an empty folder; on an error remove it."""
    try:
        for entry in list(folder.iterdir()):
            remove(entry)
        yield
    except BaseException:
        remove(folder)
        raise


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Create the folder if absent and hold an exclusive lock on it, which ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    while (descriptor := _lock(folder)) is None:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_if_there(folder: Path) -> Iterator[bool]:
    """Hold an exclusive lock on the folder; false if it does not exist, or no longer does."""
    descriptor = _lock(folder)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(folder: Path) -> int | None:
    """The locked folder's descriptor, or None if the former holder renamed or removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A path to write, renamed to `target` when the block succeeds: readers see old or new."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(6)}.partial")
    try:
        yield partial
        sync(partial)
        partial.rename(target)
        sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file's bytes, or a folder's names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds; links are removed, never followed.

    Whatever code of others did to it: no depth and no mode keeps it.
    """
    if path.is_dir() and not path.is_symlink():
        try:
            shutil.rmtree(path)
        except (OSError, RecursionError):
            _remove_level_by_level(path)
    else:
        path.unlink(missing_ok=True)


def _remove_level_by_level(folder: Path) -> None:
    """Lift what is in each folder to the top, so that no path becomes long."""
    folder.chmod(_OWNERS)
    while entries := list(folder.iterdir()):
        for entry in entries:
            if entry.is_symlink() or not entry.is_dir():
                entry.unlink()
                continue
            entry.chmod(_OWNERS)
            for below in list(entry.iterdir()):
                if below.is_dir() and not below.is_symlink():
                    below.chmod(_OWNERS)
                below.rename(folder / secrets.token_hex(16))
            entry.rmdir()
    folder.rmdir()
