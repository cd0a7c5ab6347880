"""Makes an installed tree depend on nothing but what was installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_reproducible(folder: Path) -> None:
    """Leave out what names this machine or this minute; the builder adds the bytecode."""
    (folder / ".lock").unlink(missing_ok=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for record in folder.glob("*.dist-info/uv_cache.json"):
        record.unlink()
    _remove_console_scripts(folder / "bin")


def _remove_console_scripts(scripts: Path) -> None:
    """They hold the path of this build's interpreter, and no function has them on its PATH."""
    if not scripts.is_dir():
        return
    for script in list(scripts.iterdir()):
        if script.is_file() and script.read_bytes()[:2] == b"#!":
            script.unlink()
    if not any(scripts.iterdir()):
        scripts.rmdir()
