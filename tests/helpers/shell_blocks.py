"""The commands that documents print, run as a reader would type them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def shell_blocks(document: Path, heading: str) -> list[str]:
    """Return the blocks of commands below a heading of the second level."""
    section = document.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found: list[str] = _BLOCK.findall(section)
    assert found, f"{document} has no commands below {heading}"
    return found


def run_shell(commands: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run commands that must succeed; return what they print."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}"
    return done.stdout
