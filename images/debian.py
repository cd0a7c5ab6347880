"""Debian packages without an installation of Debian: fetched by apt, unpacked, never run.

Nothing here needs root. apt checks every package against Debian's signatures; maintainer scripts
are not executed, so equal versions unpack to equal files. What only an installation needs (dpkg,
perl, a shell) is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

# Needed only to install packages, or for documentation.
_INSTALLERS = {"dpkg", "tar", "readline-common", "debianutils", "libmd0", "gcc-12-base"}
_OF_INSTALLERS = {"libselinux1", "libpcre2-8-0", "libacl1", "libzstd1"}
# Wanted without their dependencies, which only set them up.
ALONE = ("base-files", "ca-certificates", "netbase", "tzdata")
_DROPPED = re.compile(
    r"(usr/(share/(man|info|locale|lintian|bug|pixmaps|applications|doc-base|menu|readline|gdb"
    r"|base-files|zoneinfo/(right|posix)|binfmts|python3?)"
    r"|include|games|lib/valgrind|lib/[^/]+/(gconv|audit)|lib/python3"
    r"|lib/python3[^/]+/(test|idlelib|lib2to3|ensurepip|turtledemo|tkinter|pydoc_data))"
    r"|etc/(default|update-motd.d|dpkg|debian_version)|var|home|boot|media|mnt|srv)(/|$)"
    r"|usr/share/doc/(?!.*/copyright$)"
)
_MERGED = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}
_URI = re.compile(r"'[^']*' (?P<file>\S+\.deb) \d+")


@dataclass(frozen=True, order=True, slots=True)
class Package:
    """One package in one version."""

    name: str
    version: str

    def __str__(self) -> str:
        """As apt expects it."""
        return f"{self.name}={self.version}"


class AptError(SystemExit):
    """apt does not know a package, most often because it has no package lists."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"apt: {message}; try `apt-get update`, or build with docker, podman or buildah"
        )


@dataclass(frozen=True, slots=True)
class Debian:
    """Packages that this machine's apt can fetch, kept in a folder."""

    cache: Path

    def closure(self, *wanted: str) -> list[Package]:
        """The packages and everything that they need to run, without what only installs them."""
        empty = self.cache / "no-packages-installed"
        self.cache.mkdir(parents=True, exist_ok=True)
        empty.touch()
        options = [f"-oDir::State::status={empty}", "-oAPT::Install-Recommends=false"]
        listed = _listed(*options, "install", *wanted)
        dropped = _INSTALLERS | (set() if "coreutils" in wanted else _OF_INSTALLERS)
        return sorted(package for package in packages_of(listed) if package.name not in dropped)

    def alone(self, *names: str) -> list[Package]:
        """These packages without their dependencies."""
        return sorted(packages_of(_listed("download", *names)))

    def unpack(self, packages: Sequence[Package], root: Path) -> None:
        """Write the packages' files below a folder, with /bin and /lib merged into /usr."""
        self._download([package for package in packages if not self._file(package).exists()])
        for name in sorted(_MERGED - {"lib32", "libx32"}):
            (root / "usr" / name).mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(f"usr/{name}")
        for package in packages:
            command = ["dpkg-deb", "--fsys-tarfile", str(self._file(package))]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
                if archive.stdout is None:
                    raise AssertionError
                unpack_archive(archive.stdout, root)
            if archive.returncode:
                raise SystemExit(f"{package} cannot be unpacked")

    def _file(self, package: Package) -> Path:
        return self.cache / f"{package}.deb"

    def _download(self, packages: Sequence[Package]) -> None:
        if not packages:
            return
        with tempfile.TemporaryDirectory(dir=self.cache) as folder:
            # As root, apt would switch to a user who cannot write to our folder.
            options = ["-oAPT::Sandbox::User=root"]
            _apt(*options, "download", *map(str, packages), folder=Path(folder))
            for file in Path(folder).glob("*.deb"):
                file.rename(self._file(_package(file.name)))


def _apt(*arguments: str, folder: Path | None = None) -> str:
    command = ["apt-get", "-qq", "-oDebug::NoLocking=true", *arguments]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise AptError("it is not installed") from None
    if ended.returncode:
        raise AptError(ended.stderr.strip().splitlines()[-1])
    return ended.stdout


@cache
def _listed(*arguments: str) -> str:
    return _apt("--print-uris", *arguments)


def packages_of(listed: str) -> list[Package]:
    """The packages in what `apt-get --print-uris` prints."""
    return [_package(found["file"]) for found in _URI.finditer(listed)]


def _package(file: str) -> Package:
    return Package(*unquote(file.removesuffix(".deb")).rsplit("_", 2)[:2])


def unpack_archive(stream: IO[bytes], root: Path) -> None:
    """Files, folders and links; without owners, times and set-user-id bits."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if (name := merged(member.name)) and not _DROPPED.match(name):
                _extract_member(archive, member, root, name)


def _extract_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, name: str
) -> None:
    path = root / name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if member.issym():
        path.symlink_to(_inside(member.linkname, name))
    elif member.islnk():
        shutil.copyfile(root / merged(member.linkname), path)
        path.chmod(member.mode & 0o755)
    elif (content := archive.extractfile(member)) is not None:
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(member.mode & 0o755)


def _inside(target: str, name: str) -> str:
    """A link's target that also holds while the files are not at `/` yet."""
    if not target.startswith("/"):
        return target
    return os.path.relpath(f"/{merged(target)}", f"/{name}/..")


def merged(name: str) -> str:
    """A member's path without `./`, with /bin, /sbin and /lib* below /usr."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise SystemExit(f"a package holds the path {name}")
    if parts and parts[0] in _MERGED:
        parts = ["usr", *parts] if len(parts) > 1 else []
    return "/".join(parts)
