"""Prints what a package-lock.json names: one package@version and its integrity per line."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(lock: str) -> None:
    """Print every package of the lock but the project itself."""
    for path, package in json.loads(Path(lock).read_text())["packages"].items():
        if path:
            name = path.rpartition("node_modules/")[2]
            sys.stdout.write(f"{name}@{package['version']} {package['integrity']}\n")


if __name__ == "__main__":
    main(sys.argv[1])
