"""Packages of Node.js functions as npm installs them, locked, once per machine."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

LOCKS = Path(__file__).parent / "node_packages"
CACHE = Path(__file__).parents[4] / ".cache"


def installed(npm: str, name: str) -> Path:
    """The `node_modules` of a lock in `node_packages`."""
    lock = LOCKS / name / "package-lock.json"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = CACHE / f"node-{name}-{key}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "node-packages.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(LOCKS / name / file, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=folder, check=True)
            (folder / "complete").touch()
    return folder / "node_modules"
