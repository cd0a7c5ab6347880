"""Runs the install scripts of packages that are installed, which are code of strangers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from npm import run_scripts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def build_sources(npm: str, packages: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Run the scripts of all packages in place; `folder` is new, and used for nothing else."""
    folder.mkdir(parents=True)
    # npm looks for packages in a folder of this name alone.
    installed = folder / "node_modules"
    move_entries(packages, installed)
    (folder / "package.json").write_text("{}")
    try:
        run_scripts(npm, folder, environment)
    finally:
        remove_shell_scripts(installed)
        move_entries(installed, packages)


def move_entries(source: Path, target: Path) -> None:
    """Move all that is in one folder into another."""
    target.mkdir(exist_ok=True)
    for entry in list(source.iterdir()):
        shutil.move(entry, target / entry.name)


def remove_shell_scripts(installed: Path) -> None:
    """Leave packages without what serves shells and npm only."""
    # It says where each package came from.
    (installed / ".package-lock.json").unlink(missing_ok=True)
    for scripts in list(installed.rglob(".bin")):
        if scripts.is_dir() and not scripts.is_symlink() and scripts.parent.name == "node_modules":
            shutil.rmtree(scripts)
