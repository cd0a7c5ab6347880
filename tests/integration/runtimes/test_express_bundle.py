"""The Express in the Node.js server is what is locked, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[3]
BUNDLE = REPOSITORY / "runtimes" / "nodejs" / "server" / "express"


def test_the_lock_makes_the_file_that_is_served(
    require_server: Callable[[str, str], str], tmp_path: Path
) -> None:
    require_server("npm", "apt-get install npm")
    subprocess.run([REPOSITORY / "requirements" / "express" / "bundle.sh", tmp_path], check=True)
    for name in ("index.js", "LICENSES.txt"):
        assert (tmp_path / name).read_bytes() == (BUNDLE / name).read_bytes(), "run `make lock`"
