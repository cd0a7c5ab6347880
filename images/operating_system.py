"""The lower layers of images without base images of a registry: Debian and interpreters."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from images.debian import ALONE, Debian, Package
from images.interpreter import Interpreter
from lambda_builder.own_interpreter import find_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_builder.language import ImagePart, Images
    from lambda_builder.runtime import Runtime

USER = 65532
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

    def packages(self, runtime: Runtime) -> list[Package]:
        """What the base image of a runtime has below its interpreter's own packages."""
        part = images_of(runtime).base
        return self.debian.closure(*part.debian_of(runtime.version)) + self.debian.alone(*ALONE)

    def tool_packages(self, runtime: Runtime, below: Runtime) -> list[Package]:
        """What recipes of a language need in the builder, besides what is there already."""
        there = set(self.packages(below))
        wanted = self.debian.closure(*images_of(runtime).builder.debian_of(runtime.version))
        return [package for package in wanted if package not in there]

    def fill_own(self, runtime: Runtime, root: Path) -> None:
        """Debian's Python, as `python`, with its library compiled."""
        self._fill(self.packages(runtime), root)
        programs = root / "usr/local/bin"
        programs.mkdir(parents=True, exist_ok=True)
        version = runtime.version
        for name in ("python", "python3"):
            (programs / name).symlink_to(f"../../bin/python{version}")
        interpreter = Interpreter.inside(root, version)
        library = root / f"usr/lib/python{version}"
        interpreter.compile(library, installed_at=f"/usr/lib/python{version}")

    def fill(self, runtime: Runtime, root: Path) -> None:
        """The interpreter of another language."""
        self._fill(self.packages(runtime), root)
        _run(runtime, images_of(runtime).base, root)

    def fill_tools(self, runtime: Runtime, below: Runtime, root: Path) -> None:
        """What recipes of a language run, to be put over our own interpreter."""
        self.debian.unpack(self.tool_packages(runtime, below), root)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).unlink()
        _run(runtime, images_of(runtime).builder, root)

    def _fill(self, packages: Sequence[Package], root: Path) -> None:
        self.debian.unpack(packages, root)
        for name, text in _ACCOUNTS.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        _trust_authorities(root)
        for folder in ("dev", "proc", "sys", "run", "tmp", "root"):
            (root / folder).mkdir(exist_ok=True)
        (root / "tmp").chmod(0o1777)


def images_of(runtime: Runtime) -> Images:
    """What images hold of a language; `SystemExit` if its folder does not say that."""
    if runtime.language.images is None:
        raise SystemExit(f"runtimes/{runtime.language.name}/runtime.toml has no table images")
    return runtime.language.images


def _run(runtime: Runtime, part: ImagePart, root: Path) -> None:
    """Have the language's own program add what is not a Debian package."""
    if not part.program:
        return
    if (program := find_program(part.program[0])) is None:
        raise SystemExit(f"{runtime.name} needs {part.program[0]!r} to make its image")
    environment = {**os.environ, "ROOT": str(root), "RUNTIME_VERSION": runtime.version}  # noqa: TID251 - its installer needs the machine's settings
    command = [program, *part.program[1:]]
    subprocess.run(command, cwd=runtime.language.folder, env=environment, check=True)


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
