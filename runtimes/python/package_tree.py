"""Makes an installed tree depend on nothing but what was installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def make_reproducible(
    folder: Path, interpreter: str | None, environment: Mapping[str, str]
) -> None:
    """Leave out what names this machine or this minute; compile where the interpreter is here."""
    (folder / ".lock").unlink(missing_ok=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for record in folder.glob("*.dist-info/uv_cache.json"):
        record.unlink()
    _remove_console_scripts(folder / "bin")
    if interpreter is not None and any(folder.iterdir()):
        _compile(folder, interpreter, environment)


def _remove_console_scripts(scripts: Path) -> None:
    """They hold the path of this build's interpreter, and no function has them on its PATH."""
    if not scripts.is_dir():
        return
    for script in list(scripts.iterdir()):
        if script.is_file() and script.read_bytes()[:2] == b"#!":
            script.unlink()
    if not any(scripts.iterdir()):
        scripts.rmdir()


def _compile(folder: Path, interpreter: str, environment: Mapping[str, str]) -> None:
    # By hash, not by time, and in one process: the same files give the same bytes. Files that
    # do not compile (templates, other versions' syntax) are left to whoever imports them.
    arguments = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode"]
    arguments += ["unchecked-hash", "-s", str(folder), "-p", "/function/packages", str(folder)]
    subprocess.run(
        arguments,
        env={**environment, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
