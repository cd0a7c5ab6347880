"""What a source asks for, whatever file says so, each package with where it would come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from addresses import Policy, refuse
from installer_errors import RecipeError
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Others are too weak to say that a file is the same.
_HASH = re.compile(r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package that is asked for."""

    name: str
    where: str
    """The file, and in a file of lines the line, that asks for it."""
    extras: tuple[str, ...] = ()
    specifier: str = ""
    marker: str = ""
    hashes: tuple[str, ...] = ()
    address: str | None = None
    """Of its file or repository, if it does not come from the index."""
    commit: str | None = None
    """Of that repository."""
    subdirectory: str | None = None
    is_source: bool = False
    """Whether it has to be built."""

    def __post_init__(self) -> None:
        """Refuse what would be more than one line for uv, or a path where a name is expected."""
        if not _NAME.fullmatch(self.name):
            message = f"{self.where}: {shown(self.name)!a} is not the name of a package"
            raise RecipeError("InvalidRequirements", message)
        written = (*self.extras, self.specifier, self.marker, self.subdirectory or "")
        if not all(map(str.isprintable, written)):
            message = f"{self.where}: {self.name} is asked for with characters that nobody can see"
            raise RecipeError("InvalidRequirements", message)

    @property
    def wanted(self) -> str:
        """Its name with extras."""
        return f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name

    def line(self, file: Path | None) -> str:
        """A line of requirements, with the file if one was fetched."""
        hashes = "".join(f" --hash={text}" for text in self.hashes)
        if file is not None:
            return f"{self.wanted} @ {file.as_uri()}{hashes}"
        marker = f" ; {self.marker}" if self.marker else ""
        return f"{self.wanted}{self.specifier}{marker}{hashes}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """All that a source asks for."""

    packages: tuple[Package, ...]
    constraints: tuple[Package, ...] = ()
    is_complete: bool = False
    """Whether nothing else may be installed, as a lock says."""
    options: tuple[str, ...] = field(default=())
    """Of uv."""

    @property
    def is_hashed(self) -> bool:
        """Whether every package is asked for by hash."""
        return all(package.hashes for package in self.packages)

    def require_hashes(self) -> None:
        """`HashesRequired`, with the first package that is asked for without."""
        for package in self.packages:
            if not package.hashes:
                message = (
                    f"{package.where}: {shown(package.name)} is asked for without a hash, and the"
                    " platform requires hashes. Deploy a uv.lock, or requirements from"
                    " uv pip compile --generate-hashes"
                )
                raise RecipeError("HashesRequired", message)


def strong_hashes(hashes: Iterable[str]) -> tuple[str, ...]:
    """Those that tell one file from all others, in the form `sha256:...`."""
    return tuple(sorted({text for text in map(str.lower, hashes) if _HASH.fullmatch(text)}))


def at_address(
    url: str,
    policy: Policy,
    *,
    where: str,
    name: str | None = None,
    extras: tuple[str, ...] = (),
    hashes: Iterable[str] = (),
) -> Package:
    """A package that is asked for by its address, checked."""
    if url.startswith("git+"):
        return _in_repository(url.removeprefix("git+"), policy, where, name, extras)
    address, _, fragment = url.partition("#")
    told = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    name = name or told.get("egg")
    hashes = [*hashes, *(f"{kind}:{told[kind]}" for kind in ("sha256", "sha512") if kind in told)]
    file = address.partition("?")[0].rpartition("/")[2].replace("%2B", "+").replace("%2b", "+")
    if re.match(r"[a-z]+\+|(?!https?:)", address):
        refuse(name or file, where, "only files of https and repositories of git have an address")
    found, version = _parsed(file)
    if name is None and found is None:
        refuse(file, where, "it is not clear which package that is; write <name> @ <address>")
    known = canonicalize_name(name or found or "")
    if policy.is_public(address):
        if found != known or version is None:
            refuse(known, where, "the name of its file does not say which version of it that is")
        return Package(
            name=known, where=where, extras=extras, specifier=f"=={version}",
            hashes=strong_hashes(hashes),
        )  # fmt: skip
    policy.check_file(address, known, where)
    is_source = not file.endswith(".whl")
    if not is_source and found != known:
        refuse(known, where, f"{shown(file)} is not the name of a wheel of it")
    return Package(
        name=known, where=where, extras=extras, hashes=strong_hashes(hashes), address=address,
        subdirectory=_inside(told.get("subdirectory"), known, where), is_source=is_source,
    )  # fmt: skip


def _in_repository(
    url: str, policy: Policy, where: str, name: str | None, extras: tuple[str, ...]
) -> Package:
    address, _, fragment = url.partition("#")
    told = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    scheme, _, rest = address.partition("://")
    # An @ before the path is a user name, which no address may have.
    host, slash, path = rest.partition("/")
    path, _, commit = path.rpartition("@") if "@" in path else (path, "", "")
    repository = f"{scheme}://{host}{slash}{path}"
    name = name or told.get("egg")
    if name is None:
        refuse(repository, where, "it is not clear which package that is; write <name> @ git+...")
    return repository_package(
        repository, commit, policy, where=where, name=name, extras=extras,
        subdirectory=told.get("subdirectory"),
    )  # fmt: skip


def repository_package(
    repository: str,
    commit: str,
    policy: Policy,
    *,
    where: str,
    name: str,
    extras: tuple[str, ...] = (),
    subdirectory: str | None = None,
) -> Package:
    """A package in a repository of git, checked."""
    known = canonicalize_name(name)
    policy.check_git(repository, commit, known, where)
    return Package(
        name=known, where=where, extras=extras, address=repository, commit=commit,
        subdirectory=_inside(subdirectory, known, where), is_source=True,
    )  # fmt: skip


def _inside(subdirectory: str | None, name: str, where: str) -> str | None:
    if subdirectory and (subdirectory.startswith("/") or ".." in subdirectory.split("/")):
        refuse(name, where, f"its subdirectory {shown(subdirectory)} leads out of it")
    return subdirectory or None


def _parsed(file: str) -> tuple[str | None, str | None]:
    try:
        if file.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None, None
    return name, str(version)
