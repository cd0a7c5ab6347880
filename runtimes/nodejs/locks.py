"""Which lock of a source is installed from, and which it would be wrong to pass over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer_errors import RecipeError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "package.json"
PACKAGE_LOCK = "package-lock.json"
# As npm has it: the first goes before the second.
_OURS = ("npm-shrinkwrap.json", PACKAGE_LOCK)
_FOREIGN = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock")


def find_lock(source: Path) -> Path | None:
    """The lock that npm reads; `UnsupportedLock` names another tool's where npm has none."""
    ours = [source / name for name in _OURS if (source / name).is_file()]
    foreign = [name for name in _FOREIGN if (source / name).is_file()]
    if not ours:
        if foreign:
            raise _unsupported(foreign[0])
        return None
    if unread := ", ".join([lock.name for lock in ours[1:]] + foreign):
        print(f"Installing from {ours[0].name}; not read: {unread}")
    return ours[0]


def require_manifest(source: Path) -> None:
    """Reject locks without the package.json that they belong to."""
    lock = next((name for name in (*_OURS, *_FOREIGN) if (source / name).is_file()), None)
    if lock is not None and not (source / MANIFEST).is_file():
        message = f"{lock} is there and its {MANIFEST} is not; deploy both"
        raise RecipeError("InvalidRequirements", message)


def _unsupported(name: str) -> RecipeError:
    message = (
        f"{name} is not read, so other versions than its own would be installed; packages come from"
        f" {PACKAGE_LOCK} or {_OURS[0]}: npm install --package-lock-only writes one. Or leave"
        f" {name} out of the source"
    )
    return RecipeError("UnsupportedLock", message)
