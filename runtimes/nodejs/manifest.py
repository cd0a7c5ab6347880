"""The package.json that npm is given: what a source asks for, and nothing that leads elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError, cut
from locks import MANIFEST
from package_files import requests

if TYPE_CHECKING:
    from package_index import PackageIndexes
    from source_policy import SourcePolicy
    from translation import Translation

_KEPT = ("name", "version", "peerDependenciesMeta")
_INSTALLED = ("dependencies", "optionalDependencies", "peerDependencies")
_DEVELOPMENT = "devDependencies"


@dataclass(frozen=True, kw_only=True)
class ManifestReader:
    """Checks all that a package.json makes npm fetch."""

    indexes: PackageIndexes
    policy: SourcePolicy
    translation: Translation

    def read(self, manifest: dict[str, Any], *, has_lock: bool) -> dict[str, Any]:
        """The manifest as npm is given it; `RecipeError` names what may not be installed."""
        told = {name: manifest[name] for name in _KEPT if name in manifest}
        for field in _INSTALLED:
            if listed := requests(manifest, field):
                for name, wanted in listed.items():
                    self._check(name, wanted)
                told[field] = listed
        # They are never installed, but npm compares them with the lock.
        if has_lock and (listed := requests(manifest, _DEVELOPMENT)):
            told[_DEVELOPMENT] = listed
        self.translation.ranges(told)
        if manifest.get("overrides"):
            told["overrides"] = self._overrides("overrides", manifest["overrides"])
        return told

    def _overrides(self, name: str, value: object) -> object:
        if isinstance(value, dict):
            return {key: self._overrides(key, nested) for key, nested in value.items()}
        if not isinstance(value, str) or not name.isprintable():
            message = f"{MANIFEST}: overrides: {cut(ascii(name))} is not a version or an object"
            raise RecipeError("InvalidRequirements", message)
        if value.startswith("$"):
            return value
        self._check(name, value)
        return self.translation.wanted(value)

    def _check(self, name: str, wanted: str) -> None:
        if self.indexes.tarball_path(wanted) is None:
            self.policy.check(MANIFEST, name, wanted)
