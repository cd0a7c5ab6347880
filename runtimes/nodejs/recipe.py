"""Installs the packages that a Node.js source asks for; see "Contract of a runtime"."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError, cut, explain, without_credentials
from locks import MANIFEST, PACKAGE_LOCK, find_lock, require_manifest
from package_files import dependencies, locked_packages, read_json
from registry_settings import registry_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# Wherever they point, it is not in the image.
_LOCAL_PREFIXES = ("file:", "link:", "workspace:", "/", "./", "../", "~/")
_RETRIES = ("--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One installation, as its environment describes it."""

    source: Path
    packages: Path
    lock_file: Path
    workspace: Path
    index_url: str | None
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
        self._copy_manifests(manifest, found)
        self._npm("install" if found is None else "ci")
        name = PACKAGE_LOCK if found is None else found.name
        lock = read_json(self.workspace / name) or {}
        self._note_skipped_scripts(locked_packages(lock, name))
        self._move_packages()
        self.lock_file.write_text(json.dumps(_without_addresses(lock), indent=2) + "\n")

    def _copy_manifests(self, manifest: dict[str, Any], lock: Path | None) -> None:
        # Installed beside the source, not in it: an .npmrc of the source has no say, and the
        # source that goes into the image stays as its author sent it.
        self.workspace.mkdir(parents=True)
        _reject_local(dependencies(manifest))
        shutil.copy(self.source / MANIFEST, self.workspace)
        if lock is not None:
            for name, package in locked_packages(read_json(lock) or {}, lock.name).items():
                if package.get("link") or _address(package).startswith("file:"):
                    message = f"{lock.name}: {cut(name)} is a local package"
                    raise RecipeError("InvalidRequirements", message)
            shutil.copy(lock, self.workspace)

    def _npm(self, command: str) -> None:
        npm = shutil.which("npm", path=self.environment.get("PATH"))
        if npm is None:
            raise RecipeError("InstallerMissing", "npm is not installed", temporary=True)
        arguments = [npm, command, "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier"]
        arguments += ["--omit-lockfile-registry-resolved", "--no-progress", *_RETRIES]
        if not self.allow_source_packages:
            arguments.append("--ignore-scripts")
        arguments += registry_settings(self.index_url, self.workspace.parent / "npmrc")
        process = subprocess.Popen(
            arguments,
            cwd=self.workspace,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            print(without_credentials(line), end="", flush=True)
        if process.wait() != 0:
            raise explain("".join(lines))

    def _note_skipped_scripts(self, locked: dict[str, dict[str, Any]]) -> None:
        if self.allow_source_packages:
            return
        for name, package in locked.items():
            if package.get("hasInstallScript"):
                print(f"{name}: its install script was not run (ALLOW_SOURCE_PACKAGES runs them)")

    def _move_packages(self) -> None:
        installed = self.workspace / "node_modules"
        if not installed.is_dir():
            return
        # The first says where each package came from, the second serves shells only.
        (installed / ".package-lock.json").unlink(missing_ok=True)
        for scripts in list(installed.rglob(".bin")):
            if scripts.is_dir() and scripts.parent.name == "node_modules":
                shutil.rmtree(scripts)
        for entry in installed.iterdir():
            shutil.move(entry, self.packages / entry.name)


def _reject_local(requested: dict[str, str]) -> None:
    for name, wanted in requested.items():
        if wanted.startswith(_LOCAL_PREFIXES):
            message = f"package.json: {cut(name)} is a local package; packages come from the index"
            raise RecipeError("InvalidRequirements", message)


def _without_addresses(lock: dict[str, Any]) -> dict[str, Any]:
    for package in locked_packages(lock, PACKAGE_LOCK).values():
        if _address(package).startswith(("http:", "https:")):
            del package["resolved"]
    return lock


def _address(package: dict[str, Any]) -> str:
    # Without an address npm may write a boolean.
    return str(package.get("resolved", ""))


def recipe_from(environment: Mapping[str, str]) -> Recipe:
    """The recipe of a build's environment."""
    ours = ("PACKAGE_INDEX_URL", "RESULT_FILE", "LOCK_FILE", "PYTHONPATH")
    return Recipe(
        source=Path(environment["SOURCE_DIR"]).resolve(),
        packages=Path(environment["PACKAGES_DIR"]).resolve(),
        lock_file=Path(environment["LOCK_FILE"]).resolve(),
        workspace=Path(environment["TMPDIR"]).resolve() / "npm-workspace",
        index_url=environment.get("PACKAGE_INDEX_URL") or None,
        allow_source_packages=environment.get("ALLOW_SOURCE_PACKAGES") == "true",
        environment={name: value for name, value in environment.items() if name not in ours},
    )


def main() -> int:
    """Exit code of the contract; the reason of a failure is in RESULT_FILE."""
    environment = os.environ  # noqa: TID251 - the recipe's settings, read in this one place
    try:
        recipe_from(environment).run()
    except RecipeError as error:
        # The build step reports it; the installer's own words are in the log already.
        result = {"reason": error.reason, "message": error.message}
        Path(environment["RESULT_FILE"]).write_text(json.dumps(result))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
