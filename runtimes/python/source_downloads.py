"""Fetches the packages that have to be built, and what they are built with, and runs none of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from address_files import fetch_file, refuse_address
from addresses import parse_address, refuse
from downloads import Credential, download, file_name
from git_repositories import fetch_commit
from installer_errors import RecipeError
from locked_packages import chosen_files
from packaging.utils import canonicalize_name, parse_sdist_filename
from project_files import read_toml
from project_requirements import requirement
from requested_packages import Package, Request, strong_hashes
from source_metadata import SourceMetadata, read_metadata, write_stub
from source_plan import WHEELS, write_plan
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from addresses import Policy
    from packaging.tags import Tag
    from uv_program import Uv

_WITHOUT_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)`")
_MAX_ROUNDS = 50


@dataclass(frozen=True, kw_only=True)
class Source:
    """A package that has to be built, fetched."""

    package: Package
    place: Path
    version: str
    origin: dict[str, Any] | None
    """As PEP 610 has it, if it is not from the index."""


@dataclass(kw_only=True)
class SourceDownloads:
    """One request's packages that have to be built."""

    folder: Path
    """What is left for the step that builds."""
    scratch: Path
    uv: Uv
    """With the index's credential."""
    uv_arguments: Sequence[str]
    """Which interpreter, which index."""
    credential: Credential | None
    policy: Policy
    environment: dict[str, str]
    tags: Sequence[Tag]
    sources: dict[str, Source] = field(default_factory=dict)

    def resolve(self, request: Request, files: dict[Package, Path]) -> Request:
        """Fetch them; return the rest of the request, which has wheels, complete."""
        for package in request.packages:
            if package.is_source:
                self._fetch(package)
        if not request.is_complete:
            request = self._resolved(request, files)
        rest = (package for package in request.packages if package.name not in self.sources)
        return replace(request, packages=tuple(rest), constraints=(), is_complete=True)

    def finish(self) -> None:
        """Fetch what they are built with, and write down the plan; nothing if there are none."""
        if not self.sources:
            return
        wheels = self.folder / WHEELS
        wheels.mkdir(parents=True, exist_ok=True)
        plan = []
        for name, source in self.sources.items():
            self._fetch_build_requirements(source, wheels)
            plan.append(
                {
                    "name": name,
                    "place": str(source.place.relative_to(self.folder)),
                    "subdirectory": source.package.subdirectory,
                    "origin": source.origin,
                }
            )
        write_plan(self.folder, plan)

    def _fetch(self, package: Package) -> None:
        target = self.folder / "sources" / package.name
        target.mkdir(parents=True)
        told = f"{package.where}: {shown(package.name)}"
        if package.address is None:
            url, hashes = self._find(package)
            place = target / file_name(url)
            download(url, place, told=told, hashes=hashes, check=_check, credential=self.credential)
            origin = None
        elif package.commit is not None:
            place = target / package.name
            fetch_commit(package.address, package.commit, place, told, self.uv.environment)
            vcs = {"vcs": "git", "commit_id": package.commit}
            origin = {"url": package.address, "vcs_info": vcs}
        else:
            place = target / file_name(package.address)
            digest = fetch_file(package, place, self.policy)
            hashes_told = {"hashes": {"sha256": digest}}
            origin = {"url": package.address, "archive_info": hashes_told}
        if origin is not None and package.subdirectory:
            origin["subdirectory"] = package.subdirectory
        version = _version(place) or self._metadata(package, place).version
        self.sources[package.name] = Source(
            package=package, place=place, version=version, origin=origin
        )

    def _find(self, package: Package) -> tuple[str, tuple[str, ...]]:
        """Where the index has it: uv chooses, and is told that it needs nothing."""
        settings = self.scratch / "uv.toml"
        name = json.dumps(package.name)
        settings.write_text(f"[[dependency-metadata]]\nname = {name}\nrequires-dist = []\n")
        line = replace(package, extras=(), marker="").line(None)
        arguments = ["--no-deps", "--no-binary", package.name, "--config-file", str(settings)]
        document = self._compiled([line], *arguments, settings=False)
        entry = next(iter(document.get("packages", [])), {})
        found = entry.get("sdist") or {}
        hashes = strong_hashes(f"{kind}:{text}" for kind, text in found.get("hashes", {}).items())
        if "url" not in found:
            problem = f"{shown(package.name)} has neither a wheel for this runtime nor a source"
            raise RecipeError("RequirementNotFound", f"{package.where}: {problem}")
        if package.hashes and not set(hashes) & set(package.hashes):
            # Whoever compares the content comes to the same end.
            hashes = package.hashes
        return found["url"], hashes

    def _resolved(self, request: Request, files: dict[Package, Path]) -> Request:
        stubs = self.scratch / "stubs"
        stubs.mkdir()
        for source in self.sources.values():
            self._stub(source, stubs)
        wanted = {package.name: package for package in request.packages}
        for _ in range(_MAX_ROUNDS):
            try:
                document = self._compile_request(request, files, stubs)
                break
            except RecipeError as error:
                missing = set(map(canonicalize_name, _WITHOUT_WHEEL.findall(error.message)))
                if not missing - self.sources.keys():
                    raise
                for name in sorted(missing - self.sources.keys()):
                    package = wanted.get(name) or Package(name=name, where="the packages it needs")
                    self._fetch(replace(package, is_source=True))
                    self._stub(self.sources[name], stubs)
        else:
            raise RecipeError("RequirementsConflict", "too many packages have no wheel")
        named = {package.name: package for package in files}
        packages = []
        for entry in document["packages"]:
            name = canonicalize_name(entry["name"])
            if name in named:
                packages.append(replace(named[name], extras=()))
            elif name not in self.sources:
                asked = wanted.get(name)
                packages.append(
                    Package(
                        name=name,
                        where=asked.where if asked else "the packages it needs",
                        specifier=f"=={entry['version']}",
                        hashes=asked.hashes if asked else (),
                    )
                )
        return replace(request, packages=tuple(packages))

    def _compile_request(
        self, request: Request, files: dict[Package, Path], stubs: Path
    ) -> dict[str, Any]:
        constraints = self.scratch / "limits.txt"
        limits = [package.line(files.get(package)) for package in request.constraints]
        constraints.write_text("".join(f"{line}\n" for line in limits))
        lines = []
        for package in request.packages:
            stub = None
            if (source := self.sources.get(package.name)) and package.is_source:
                stub = _stub_name(stubs, source)
            plain = replace(package, hashes=()) if package.name in self.sources else package
            lines.append(plain.line(stub or files.get(package)))
        arguments = ["--only-binary", ":all:", "--find-links", str(stubs), *request.options]
        return self._compiled(lines, *arguments, "--constraints", str(constraints))

    def _stub(self, source: Source, stubs: Path) -> None:
        metadata = self._metadata(source.package, source.place)
        if metadata.requires is None:
            message = (
                f"{source.package.where}: {shown(source.package.name)} has no wheel, and what it"
                " needs is known only to its code, which is not run for that. Deploy a lock"
                " (uv lock), which says it"
            )
            raise RecipeError("SourcePackageRefused", message)
        for needed in metadata.requires:
            refuse_address(needed, source.package)
        write_stub(stubs, source.package.name, source.version, metadata)

    def _metadata(self, package: Package, place: Path) -> SourceMetadata:
        told = f"{package.where}: {shown(package.name)}"
        return read_metadata(place, told, package.subdirectory)

    def _fetch_build_requirements(self, source: Source, wheels: Path) -> None:
        told = f"{source.package.where}: what {shown(source.package.name)} is built with"
        lines = list(self._metadata(source.package, source.place).build_requires)
        for line in lines:
            if requirement(line, told).url is not None:
                refuse(source.package.name, source.package.where, f"it is built with {shown(line)}")
        if not lines:
            return
        if self.policy.require_hashes:
            message = f"{told} has no hashes, and the platform requires them. Ask for a wheel"
            raise RecipeError("HashesRequired", message)
        document = self._compiled(lines, "--only-binary", ":all:")
        for _, file in chosen_files(document, told, self.environment, self.tags):
            hashes = strong_hashes(f"{kind}:{text}" for kind, text in (file.hashes or {}).items())
            target = wheels / file_name(file.url or "")
            if not target.exists():
                download(
                    file.url or "", target, told=told, hashes=hashes, check=_check,
                    credential=self.credential,
                )  # fmt: skip

    def _compiled(
        self, lines: Iterable[str], *arguments: str, settings: bool = True
    ) -> dict[str, Any]:
        asked, compiled = self.scratch / "asked.txt", self.scratch / "pylock.toml"
        asked.write_text("".join(f"{line}\n" for line in lines))
        compiled.unlink(missing_ok=True)
        command = ["pip", "compile", str(asked), "--format", "pylock.toml", "--quiet"]
        command += ["--no-header", "--output-file", str(compiled), *self.uv_arguments]
        uv = self.uv
        if not settings:
            # A file of settings is not read otherwise.
            others = {"UV_NO_CONFIG", "UV_CONFIG_FILE"}
            known = {name: text for name, text in uv.environment.items() if name not in others}
            uv = uv.with_environment(known)
        # An attempt that fails says what to fetch next; the last one is told as the reason.
        uv.run(*command, *arguments, is_shown=False)
        return read_toml(compiled)


def _stub_name(stubs: Path, source: Source) -> Path:
    escaped = source.package.name.replace("-", "_")
    return stubs / f"{escaped}-{source.version}-py3-none-any.whl"


def _check(url: str) -> None:
    """The index says where its files are; it is trusted with that, but not with any scheme."""
    try:
        parse_address(url.partition("#")[0].partition("?")[0])
    except ValueError as error:
        message = f"the package index has a file at an address that cannot be used: {error}"
        raise RecipeError("PackageIndexUnavailable", message, temporary=True) from None


def _version(place: Path) -> str | None:
    try:
        return str(parse_sdist_filename(place.name)[1])
    except ValueError:
        return None
