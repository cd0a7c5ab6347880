"""What a new function's README lets people install, from this machine instead of an index."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.helpers.dev_overlay import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PLAIN_ENVIRONMENT = {
    "PATH": f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}",  # noqa: TID251
    # The plugins of this repository's tests are not part of a function's.
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
_EXPRESS = REPOSITORY / "runtimes" / "nodejs" / "server" / "express" / "index.js"


def give_dev_packages(folder: Path) -> None:
    """Make `.venv/bin/pytest` and `require("express")` work in the folder of a function."""
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    express = folder / "node_modules" / "express"
    express.mkdir(parents=True)
    shutil.copy(_EXPRESS, express)
