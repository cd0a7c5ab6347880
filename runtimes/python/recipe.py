"""Installs the packages that a Python source asks for; see "Contract of a runtime"."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from certificates import with_system_certificates
from foreign_locks import note_unread_manifests
from installer_errors import RecipeError, explain, without_credentials
from package_tree import make_reproducible
from requirement_files import find_requirements, is_empty

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLATFORMS = {
    "x86_64": "x86_64-manylinux_2_28",
    "aarch64": "aarch64-manylinux_2_28",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One installation, as its environment describes it."""

    source: Path
    packages: Path
    lock_file: Path
    temporary: Path
    version: str
    index_url: str | None
    allow_source_packages: bool
    environment: Mapping[str, str]

    def run(self) -> None:
        """Fill the packages folder and write the lock; `RecipeError` says why not."""
        requirements = find_requirements(self.source, self.temporary, self.version)
        if requirements is not None and requirements.name == "uv.lock":
            requirements = self._export_lock(requirements)
        # Of a file that names nothing uv warns, although nothing is wrong.
        if requirements is None or is_empty(requirements):
            note_unread_manifests(self.source)
            print("No packages are requested: nothing to install")
            return
        self._uv(*self._install_arguments(requirements))
        make_reproducible(self.packages)
        if any(self.packages.iterdir()):
            self.lock_file.write_text(without_credentials(self._frozen()))

    def _frozen(self) -> str:
        arguments = [_find_uv(), "pip", "freeze", "--quiet", "--path", str(self.packages)]
        return subprocess.run(
            arguments, env=dict(self.environment), stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def _install_arguments(self, requirements: Path) -> list[str]:
        arguments = ["pip", "install", "--target", str(self.packages), "--no-progress"]
        arguments += ["--link-mode", "copy", "--python", self._interpreter() or sys.executable]
        arguments += ["--python-version", self.version, "--requirements", str(requirements)]
        if self.index_url:
            arguments += ["--default-index", self.index_url]
        if self.allow_source_packages:
            if self._interpreter() is None:
                message = f"building source packages needs python{self.version} in the builder"
                raise RecipeError("InterpreterMissing", message, temporary=True)
            return arguments
        arguments += ["--only-binary", ":all:"]
        platform = _PLATFORMS.get(os.uname().machine) if sys.platform == "linux" else None
        return [*arguments, "--python-platform", platform] if platform else arguments

    def _export_lock(self, lock: Path) -> Path:
        exported = self.temporary / "exported-requirements.txt"
        arguments = ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header"]
        arguments += ["--project", str(lock.parent), "--output-file", str(exported), "--quiet"]
        self._uv(*arguments)
        return exported

    def _interpreter(self) -> str | None:
        if self.version == "{}.{}".format(*sys.version_info[:2]):
            return sys.executable
        return shutil.which(f"python{self.version}")

    def _uv(self, *arguments: str) -> None:
        # Not in the source folder: the uv.toml and [tool.uv] there are the author's, not ours.
        process = subprocess.Popen(
            [_find_uv(), *arguments],
            cwd=self.temporary,
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
            # Which interpreter, and where: the machine's affair, not the author's.
            if not line.startswith(("Using CPython", "Using Python")):
                said = without_credentials(line).replace(f"{self.source}/", "")
                print(said, end="", flush=True)
        if process.wait() != 0:
            raise explain("".join(lines).replace(f"{self.source}/", ""))


def _find_uv() -> str:
    try:
        import uv  # noqa: PLC0415 - a program that its wheel brings along, where it is one
    except ModuleNotFoundError:
        found = shutil.which("uv")
        if found is None:
            raise RecipeError("InstallerMissing", "uv is not installed", temporary=True) from None
        return found
    return str(uv.find_uv_bin())


def recipe_from(environment: Mapping[str, str]) -> Recipe:
    """The recipe of a build's environment."""
    version = environment["RUNTIME_VERSION"]
    if not re.fullmatch(r"3\.\d+", version):
        raise RecipeError("UnsupportedRuntime", f"python{version} is not a runtime")
    # Requirement files can name variables: what uv does not need, it does not get.
    ours = ("PACKAGE_INDEX_URL", "RESULT_FILE", "LOCK_FILE", "VIRTUAL_ENV", "PYTHONPATH")
    passed_on = {name: value for name, value in environment.items() if name not in ours}
    if "PIP_CERT" in environment:
        # A machine that is set up for pip alone; uv has names of its own for the same things.
        passed_on.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    if "PIP_INDEX_URL" in environment and "UV_INDEX_URL" not in environment:
        passed_on.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    return Recipe(
        source=Path(environment["SOURCE_DIR"]).resolve(),
        packages=Path(environment["PACKAGES_DIR"]).resolve(),
        lock_file=Path(environment["LOCK_FILE"]).resolve(),
        temporary=Path(environment["TMPDIR"]).resolve(),
        version=version,
        index_url=environment.get("PACKAGE_INDEX_URL") or None,
        allow_source_packages=environment.get("ALLOW_SOURCE_PACKAGES") == "true",
        environment={
            **with_system_certificates(passed_on),
            "UV_PYTHON_DOWNLOADS": "never",
            "NO_COLOR": "1",
        },
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
