"""Reads a lock of npm, whatever its version, and says it in addresses of this installation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asked_versions import NAME, read_asked_version
from installer_errors import RecipeError, cut
from package_files import locked_packages

if TYPE_CHECKING:
    from package_index import PackageIndexes
    from source_policy import SourcePolicy
    from translation import Translation

_FOLDER = re.compile(rf"node_modules/{NAME.pattern}(/node_modules/{NAME.pattern})*", re.ASCII)
# npm leaves out what is not quite one, and compares nothing if none is left.
_STRONG = re.compile(
    r"(?:sha512-[A-Za-z0-9+/]{86}==|sha384-[A-Za-z0-9+/]{64}|sha256-[A-Za-z0-9+/]{43}=)(?:\?.*)?"
)
_BETWEEN_HASHES = re.compile(r"[ \t\r\n]+")
_ROOT = ("name", "version", "lockfileVersion", "requires")
# What npm reads of a package besides; a lock that anybody wrote tells it nothing else.
_PACKAGE = [
    "name",
    "version",
    "resolved",
    "integrity",
    "dev",
    "optional",
    "devOptional",
    "peer",
    "inBundle",
    "hasShrinkwrap",
    "hasInstallScript",
    "deprecated",
    "license",
    "bin",
    "engines",
    "os",
    "cpu",
    "libc",
    "funding",
    "bundleDependencies",
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
]
_PROJECT = [
    "name",
    "version",
    "license",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "peerDependencies",
]


@dataclass(kw_only=True)
class LockReader:
    """Checks all that a lock makes npm fetch."""

    file: str
    indexes: PackageIndexes
    policy: SourcePolicy
    translation: Translation
    _weak: str | None = field(default=None, init=False)
    """The first package without a strong hash."""
    _has_bundle: bool = field(default=False, init=False)
    """Whether there is one that is said to come with another package."""

    @property
    def is_pinned(self) -> bool:
        """Whether npm could install nothing that the lock has no hash for."""
        return self._weak is None and (self.policy.require_hashes or not self._has_bundle)

    def read(self, lock: dict[str, Any]) -> dict[str, Any]:
        """The lock as npm is given it; `RecipeError` names what may not be installed."""
        told = {name: lock[name] for name in _ROOT if name in lock}
        if "packages" in lock and lock["packages"] is not None:
            packages = locked_packages(lock, self.file)
            told["packages"] = {
                folder: self._package(folder, package) for folder, package in packages.items()
            }
        elif lock.get("dependencies"):
            told["dependencies"] = self._older(lock["dependencies"], nested=False)
        if self.policy.require_hashes and self._weak is not None:
            raise RecipeError(
                "HashesRequired",
                f"{self.file}: {cut(self._weak)} has no integrity of sha512, and packages without"
                " hashes are not allowed here; npm install --package-lock-only writes them",
            )
        return told

    def _package(self, folder: str, package: dict[str, Any]) -> dict[str, Any]:
        if not folder:
            project = {name: package[name] for name in _PROJECT if name in package}
            self.translation.ranges(project)
            return project
        if package.get("link") or not _FOLDER.fullmatch(folder):
            raise self._local(folder)
        told = {name: package[name] for name in _PACKAGE if name in package}
        name = told.get("name", folder.rpartition("node_modules/")[2])
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise self._unreadable(folder)
        if self.policy.require_hashes:
            # What a package brings along has to be in this lock as well.
            told.pop("hasShrinkwrap", None)
        address = told.pop("resolved", None)
        address = address if isinstance(address, str) else ""
        if address:
            told["resolved"] = self._address(folder, address, is_installed=not _is_dev(package))
        is_inside = bool(package.get("inBundle")) and folder.count("node_modules/") > 1
        self._weigh(folder, package, told, address, is_inside=is_inside)
        self.translation.ranges(told)
        return told

    def _older(self, listed: Any, *, nested: bool) -> dict[str, Any]:
        if not isinstance(listed, dict):
            raise RecipeError("InvalidRequirements", f"{self.file}: dependencies is not an object")
        return {name: self._older_package(name, each, nested) for name, each in listed.items()}

    def _older_package(self, name: str, package: Any, nested: bool) -> dict[str, Any]:
        if not NAME.fullmatch(name) or not isinstance(package, dict):
            raise self._unreadable(name)
        kept = ("version", "integrity", "bundled", "dev", "optional", "requires")
        told = {field: package[field] for field in kept if field in package}
        is_installed = not _is_dev(package)
        version, address = package.get("version"), package.get("resolved")
        if not isinstance(version, str) or not isinstance(address or "", str | bool):
            raise self._unreadable(name)
        if read_asked_version(version).kind != "version":
            told["version"] = self._address(name, version, is_installed=is_installed)
        elif isinstance(address, str) and address:
            told["resolved"] = self._address(name, address, is_installed=is_installed)
        place = address if read_asked_version(version).kind == "version" else version
        is_inside = bool(package.get("bundled")) and nested and place == address
        self._weigh(name, package, told, place or "", is_inside=is_inside)
        if isinstance(told.get("requires"), dict):
            self.translation.ranges({"dependencies": told["requires"]})
        if package.get("dependencies"):
            told["dependencies"] = self._older(package["dependencies"], nested=True)
        return told

    def _address(self, name: str, address: str, *, is_installed: bool) -> str:
        asked = read_asked_version(address)
        if asked.kind == "local":
            raise self._local(name)
        if asked.kind == "version":
            raise self._unreadable(name)
        if self.indexes.tarball_path(address) is not None:
            return self.translation.address(address)
        if index := next((each for each in self.indexes.all() if each.has(address)), None):
            return self.translation.tarball(index.url + address.removeprefix(index.url))
        if is_installed:
            self.policy.check(self.file, name, address)
        return self.translation.address(address, asked)

    def _weigh(
        self,
        name: str,
        package: dict[str, Any],
        told: dict[str, Any],
        address: object,
        *,
        is_inside: bool,
    ) -> None:
        """Note a package without a strong hash, if npm could fetch it.

        What a lock says of it - that it is for development, or inside another one - is not what
        npm goes by.
        """
        integrity = package.get("integrity")
        if isinstance(integrity, str) and _is_strong(integrity):
            return
        if is_inside:
            self._has_bundle = True
            if self.policy.require_hashes:
                # npm asks for it only if it is not there.
                told["resolved"] = self.translation.without_hash(name)
        elif self._weak is None and not (_is_dev(package) and self._is_refused(address)):
            self._weak = name

    def _is_refused(self, address: object) -> bool:
        """Whether nothing would be fetched from an address, whoever asks for it."""
        if not isinstance(address, str) or not address:
            return False
        is_of_index = self.indexes.tarball_path(address) is not None or any(
            index.has(address) for index in self.indexes.all()
        )
        return not is_of_index and self.policy.problem(read_asked_version(address)) is not None

    def _local(self, name: str) -> RecipeError:
        message = (
            f"{self.file}: {cut(ascii(name))} is a local package; packages come from the index"
        )
        return RecipeError("PackageSourceRefused", message)

    def _unreadable(self, name: str) -> RecipeError:
        message = f"{self.file}: {cut(ascii(name))} is not a package entry as npm writes it"
        return RecipeError("InvalidRequirements", message)


def _is_strong(integrity: str) -> bool:
    return any(map(_STRONG.fullmatch, _BETWEEN_HASHES.split(integrity)))


def _is_dev(package: dict[str, Any]) -> bool:
    return package.get("dev") is True
