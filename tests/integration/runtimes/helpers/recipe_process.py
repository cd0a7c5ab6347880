"""One run of a recipe, with the environment that a build gives it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNTIMES = Path(__file__).parents[4] / "runtimes"
VERSIONS = {"python": "{}.{}".format(*sys.version_info[:2]), "nodejs": "20"}


@dataclass(frozen=True)
class RecipeRun:
    """What a recipe left behind."""

    status: int
    log: str
    packages: Path
    lock: str | None
    reason: str | None
    message: str
    pinned: bool

    def files(self) -> dict[str, str]:
        """Path -> digest of all that was installed."""
        return {
            str(path.relative_to(self.packages)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.packages.rglob("*"))
            if path.is_file()
        }


def run_recipe(
    language: str,
    files: dict[str, str],
    folder: Path,
    *,
    inside: Sequence[str] = (),
    again: str | None = None,
    **settings: str,
) -> RecipeRun:
    """Run the recipe of a language on a source, given as file name -> text.

    `inside` is a command line that starts another, in surroundings of its own. `again` is another
    program of the runtime, which goes on in a folder where its recipe has run.
    """
    for name in ("source", "packages", "home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=again is not None)
    for name, text in files.items():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_text(text)
    runtime = RUNTIMES / language
    command = tomllib.loads((runtime / "runtime.toml").read_text())["recipe"]
    if again is not None:
        command = [command[0], again]
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}:/usr/local/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "SOURCE_DIR": str(folder / "source"),
        "PACKAGES_DIR": str(folder / "packages"),
        "LOCK_FILE": str(folder / "lock.txt"),
        "RESULT_FILE": str(result),
        "RUNTIME_VERSION": VERSIONS[language],
        **settings,
    }
    process = subprocess.run(
        [*inside, *command],
        cwd=runtime,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    failure = json.loads(result.read_text()) if result.exists() else {}
    lock = folder / "lock.txt"
    return RecipeRun(
        status=process.returncode,
        log=process.stdout,
        packages=folder / "packages",
        lock=lock.read_text() if lock.exists() else None,
        reason=failure.get("reason"),
        message=failure.get("message", ""),
        pinned=failure.get("pinned", False),
    )
