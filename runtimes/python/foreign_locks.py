"""Locks of other tools: what they pin would silently not be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer_errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIST_THEM = "list the packages in a requirements.txt"
# A glob of the file's name, and what makes a file of it that is read.
_WAYS_OUT = {
    "poetry.lock": "poetry export --output requirements.txt (poetry-plugin-export) writes one",
    "pdm.lock": "pdm export --output requirements.txt writes one",
    "Pipfile.lock": "pipenv requirements > requirements.txt writes one",
    "Pipfile": "pipenv requirements > requirements.txt writes one",
    "requirements.lock": "rename it to requirements.txt",
    "pylock.*.toml": "rename it to pylock.toml",
    "conda-lock.y*ml": _LIST_THEM,
    "pixi.lock": _LIST_THEM,
}


def reject_foreign_lock(source: Path) -> None:
    """Raise `UnsupportedLock`, which names the lock of another tool and what to do about it."""
    found = next(_foreign_locks(source), None)
    if found is None:
        return
    name, way_out = found
    message = (
        f"{name} is not read, so other versions than its own would be installed; packages come from"
        f" requirements.txt, pylock.toml or uv.lock: {way_out}. Or leave {name} out of the source"
    )
    raise RecipeError("UnsupportedLock", message)


def note_unread(source: Path, read: Path) -> None:
    """Name in the build's log the locks that are not used."""
    names = [name for name, _ in _foreign_locks(source)]
    names += [name for name in ("pylock.toml", "uv.lock") if (source / name).is_file()]
    if unread := ", ".join(name for name in names if name != read.name):
        print(f"Installing from {read.name}; not read: {unread}")


def note_unread_manifests(source: Path) -> None:
    """Name in the log of a build without packages the files that were not read."""
    for name in ("setup.py", "setup.cfg", "environment.yml", "environment.yaml"):
        if (source / name).is_file():
            print(f"{name} is not read; if it names packages, {_LIST_THEM}")


def _foreign_locks(source: Path) -> Iterator[tuple[str, str]]:
    for pattern, way_out in _WAYS_OUT.items():
        for file in sorted(source.glob(pattern)):
            if file.is_file():
                yield file.name, way_out
