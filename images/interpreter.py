"""The Python of an image, run on this machine to prepare the image's contents."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Tests of the standard library and what programs do not import.
_NEVER_IMPORTED = r"/(test|tests|idle_test|lib2to3)/"
_STDERR = 2
_SITE = "import site; print(site.getsitepackages()[0])"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """How to start it, and its root folder."""

    command: tuple[str, ...]
    version: str
    root: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def current(cls) -> Interpreter:
        """The one that runs this program, for when this program runs in the image."""
        return cls((sys.executable,), "{}.{}".format(*sys.version_info[:2]))

    @classmethod
    def inside(cls, root: Path, version: str) -> Interpreter:
        """Debian's, unpacked in a folder: its own loader finds its own libraries."""
        loader = next(root.glob("usr/lib*/ld-linux-*.so.*"))
        libraries = ":".join(str(folder) for folder in sorted(root.glob("usr/lib/*-linux-gnu")))
        program = root / f"usr/bin/python{version}"
        command = (str(loader), "--library-path", libraries, str(program))
        return cls(command, version, str(root), {"PYTHONHOME": str(root / "usr")})

    def site_packages(self) -> str:
        """Where it looks for packages, as a path in the image without the leading slash."""
        found = self._run("-B", "-s", "-P", "-c", _SITE, stdout=subprocess.PIPE).stdout.strip()
        return found.removeprefix(self.root).lstrip("/")

    def compile(self, tree: Path, *, installed_at: str = "/") -> None:
        """Compile all modules below; the interpreter never checks their source again.

        Hash-based, in sorted order, by a fresh process with a fixed seed: the same bytes each time.
        A module that cannot be compiled ends this program.
        """
        # -f and -B: bytecode that the interpreter writes itself while it starts contains a time.
        arguments = ["-B", "-S", "-s", "-P", "-m", "compileall", "-f", "-q", "-x", _NEVER_IMPORTED]
        arguments += ["--invalidation-mode", "unchecked-hash"]
        # Standard output is for the references of images.
        self._run(*arguments, "-s", str(tree), "-p", installed_at, str(tree), stdout=_STDERR)

    def _run(self, *arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
        # Not -I: it would not read PYTHONHASHSEED, nor PYTHONHOME.
        environment = {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8", **self.environment}
        command = [*self.command, *arguments]
        return subprocess.run(command, env=environment, stdout=stdout, text=True, check=True)
