"""Runs the install scripts of what the recipe installed; see "Contract of a runtime"."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from npm import find_npm
from reporting import report
from source_build import build_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = ("RESULT_FILE", "LOCK_FILE", "PYTHONPATH")


def run_scripts(environment: Mapping[str, str]) -> None:
    """Run them, where anything is installed; `RecipeError` says why not."""
    told = {name: value for name, value in environment.items() if name not in _OURS}
    packages, folder = Path(environment["PACKAGES_DIR"]), Path(environment["TMPDIR"])
    if any(packages.iterdir()):
        build_sources(find_npm(environment), packages, folder / "source-build", told)


if __name__ == "__main__":
    # The program's settings, read in this one place.
    sys.exit(report(run_scripts, os.environ))  # noqa: TID251
