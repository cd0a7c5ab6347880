"""Runs uv, shows what it says, and explains its failures."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from installer_errors import RecipeError, explain, without_credentials
from kept_output import KeptOutput, read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Uv:
    """One environment to run uv in."""

    folder: Path
    """Where it runs: not in the source, whose uv.toml and [tool.uv] are the author's."""
    environment: Mapping[str, str]
    hidden: tuple[str, ...] = ()
    """Folders of this machine that nobody needs to know."""
    secrets: tuple[str, ...] = ()

    def with_environment(self, environment: Mapping[str, str]) -> Uv:
        """The same in another environment."""
        return replace(self, environment=environment)

    def run(self, *arguments: str, is_shown: bool = True) -> None:
        """Run it, with its output as that of this program; `RecipeError` if it fails."""
        process = subprocess.Popen(
            [find_uv(), *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        output = KeptOutput()
        for line in read_lines(process.stdout):
            said = self._shown(line)
            output.add(said)
            # Which interpreter, and where: the machine's affair, not the author's.
            if is_shown and not line.startswith(("Using CPython", "Using Python")):
                print(said, end="", flush=True)
        if process.stdout is not None:
            process.stdout.close()
        if process.wait() != 0:
            raise explain(output.text)

    def output(self, *arguments: str) -> str:
        """What it prints, if it does not fail."""
        return subprocess.run(
            [find_uv(), *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def _shown(self, text: str) -> str:
        text = without_credentials(text)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        for folder in self.hidden:
            text = text.replace(f"file://{folder}/", "").replace(f"{folder}/", "")
        return text


def find_uv() -> str:
    """The program."""
    try:
        import uv  # noqa: PLC0415 - a program that its wheel brings along, where it is one
    except ModuleNotFoundError:
        found = shutil.which("uv")
        if found is None:
            raise RecipeError("InstallerMissing", "uv is not installed", temporary=True) from None
        return found
    return str(uv.find_uv_bin())
