"""Installs the packages that a Node.js source asks for; see "Contract of a runtime"."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index_proxy import IndexProxy
from installer_errors import RecipeError, cut
from lock_files import LockReader
from locks import MANIFEST, PACKAGE_LOCK, find_lock, require_manifest
from manifest import ManifestReader
from npm import find_npm, install
from owner_settings import read_owner_settings
from package_files import dependencies, locked_packages, read_json
from package_index import basic
from reporting import report
from source_build import build_sources, move_entries, remove_shell_scripts
from source_policy import SourcePolicy
from translation import Translation
from upstream import Upstream
from written_lock import written_lock

if TYPE_CHECKING:
    from collections.abc import Mapping

# prctl(2): nobody reads the memory and the environment of a process that is not dumpable.
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One installation, as its environment describes it."""

    source: Path
    packages: Path
    lock_file: Path
    result_file: Path
    workspace: Path
    index_url: str | None
    index_authorization: str | None = field(repr=False)
    policy: SourcePolicy
    allow_source_packages: bool
    environment: Mapping[str, str]

    def run(self) -> None:
        """Fill the packages folder and write the lock; `RecipeError` says why not."""
        require_manifest(self.source)
        manifest = read_json(self.source / MANIFEST)
        if manifest is None or not dependencies(manifest):
            print("No dependencies in a package.json: nothing to install")
            return
        found = find_lock(self.source)
        if found is None and self.policy.require_hashes:
            raise _lock_required(manifest)
        npm = find_npm(self.environment)
        # Installed beside the source, not in it: an .npmrc of the source has no say, and the
        # source that goes into the image stays as its author sent it.
        self.workspace.mkdir(parents=True)
        with self._proxy(npm) as proxy:
            is_pinned = self._write_manifests(manifest, found, proxy)
            install(npm, "install" if found is None else "ci", self.workspace, self._plain, proxy)
        name = PACKAGE_LOCK if found is None else found.name
        lock = read_json(self.workspace / name) or {}
        if (installed := self.workspace / "node_modules").is_dir():
            remove_shell_scripts(installed)
            move_entries(installed, self.packages)
        if self.allow_source_packages and "DOWNLOADS_DIR" not in self.environment:
            # A builder without a step for it, in which there would be no network.
            folder = self.workspace.with_name("source-build")
            build_sources(npm, self.packages, folder, self._plain)
        elif not self.allow_source_packages:
            _note_skipped_scripts(locked_packages(lock, name))
        lock = written_lock(lock, proxy.translation)
        self.lock_file.write_text(json.dumps(lock, indent=2) + "\n")
        if is_pinned:
            self.result_file.write_text(json.dumps({"pinned": True}))

    @property
    def _plain(self) -> Mapping[str, str]:
        return {name: value for name, value in self.environment.items() if name not in _OURS}

    def _proxy(self, npm: str) -> IndexProxy:
        settings = read_owner_settings(
            npm, self.workspace, self._plain, has_index=self.index_url is not None
        )
        indexes = settings.indexes(self.index_url, self.index_authorization)
        return IndexProxy(
            upstream=Upstream.open(settings.values, self.environment),
            indexes=indexes,
            policy=self.policy,
            translation=Translation(indexes, self.policy),
            environment=self._plain,
        )

    def _write_manifests(
        self, manifest: dict[str, Any], lock: Path | None, proxy: IndexProxy
    ) -> bool:
        """Write what npm reads; whether every package is asked for with its hash."""
        manifests = ManifestReader(
            indexes=proxy.indexes, policy=self.policy, translation=proxy.translation
        )
        told = manifests.read(manifest, has_lock=lock is not None)
        (self.workspace / MANIFEST).write_text(json.dumps(told))
        if lock is None:
            return False
        reader = LockReader(
            file=lock.name,
            indexes=proxy.indexes,
            policy=self.policy,
            translation=proxy.translation,
        )
        told = reader.read(read_json(lock) or {})
        (self.workspace / lock.name).write_text(json.dumps(told))
        return reader.is_pinned


def _note_skipped_scripts(locked: dict[str, dict[str, Any]]) -> None:
    for name, package in locked.items():
        if package.get("hasInstallScript"):
            print(f"{name}: its install script was not run (ALLOW_SOURCE_PACKAGES runs them)")


def _lock_required(manifest: dict[str, Any]) -> RecipeError:
    first = cut(next(iter(dependencies(manifest))))
    message = (
        f"{MANIFEST}: {first} has no hash, and packages without hashes are not allowed here;"
        f" npm install --package-lock-only writes a {PACKAGE_LOCK} that has them"
    )
    return RecipeError("HashesRequired", message)


# What npm and the scripts of packages are not told.
_OURS = (
    "PACKAGE_INDEX_URL",
    "PACKAGE_INDEX_USERNAME",
    "PACKAGE_INDEX_PASSWORD",
    "RESULT_FILE",
    "LOCK_FILE",
    "PYTHONPATH",
)


def recipe_from(environment: Mapping[str, str]) -> Recipe:
    """The recipe of a build's environment."""
    user = environment.get("PACKAGE_INDEX_USERNAME")
    password = environment.get("PACKAGE_INDEX_PASSWORD")
    return Recipe(
        source=Path(environment["SOURCE_DIR"]).resolve(),
        packages=Path(environment["PACKAGES_DIR"]).resolve(),
        lock_file=Path(environment["LOCK_FILE"]).resolve(),
        result_file=Path(environment["RESULT_FILE"]).resolve(),
        workspace=Path(environment["TMPDIR"]).resolve() / "npm-workspace",
        index_url=environment.get("PACKAGE_INDEX_URL") or None,
        index_authorization=basic(user or "", password or "") if user or password else None,
        policy=SourcePolicy.read(environment),
        allow_source_packages=environment.get("ALLOW_SOURCE_PACKAGES") == "true",
        environment=environment,
    )


def main() -> int:
    """Exit code of the contract; the reason of a failure is in RESULT_FILE."""
    # Scripts of packages run as the same user, and this process knows the index's credential.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    environment = os.environ  # noqa: TID251 - the recipe's settings, read in this one place
    return report(lambda told: recipe_from(told).run(), environment)


if __name__ == "__main__":
    sys.exit(main())
