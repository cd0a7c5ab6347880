"""Installs the packages that a Python source asks for; see "Contract of a runtime"."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from addresses import Policy, read_prefixes
from certificates import with_system_certificates
from foreign_locks import note_unread_manifests
from installer_errors import RecipeError, without_credentials
from package_index import PackageIndex
from package_request import read_request
from package_tree import installed_names, make_reproducible, record_addresses
from source_plan import read_plan
from target import is_own, marker_environment, uv_platform
from uv_program import Uv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requested_packages import Package, Request

# uv gets what it needs: not what is for this program alone, and above all no credential.
_OURS = frozenset(
    {
        "PACKAGE_INDEX_URL", "PACKAGE_INDEX_USERNAME", "PACKAGE_INDEX_PASSWORD",
        "PACKAGE_URL_PREFIXES", "RESULT_FILE", "LOCK_FILE", "VIRTUAL_ENV", "PYTHONPATH",
    }
)  # fmt: skip
_MACHINES_SETTINGS = Path("/etc/uv/uv.toml")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One installation, as its environment describes it."""

    source: Path
    packages: Path
    lock_file: Path
    temporary: Path
    version: str
    index: PackageIndex
    policy: Policy
    uv: Uv
    downloads: Path
    """For what has to be built, and a plan if anything has to."""
    builds_itself: bool
    """Whether no other step does."""

    def run(self) -> bool:
        """Fill the packages folder and write the lock; `RecipeError` says why not.

        Return whether all packages were asked for by hash.
        """
        scratch = self.temporary / "request"
        scratch.mkdir()
        request = read_request(self.source, self.version, self.policy, uv=self.uv, folder=scratch)
        if request is None or not request.packages:
            note_unread_manifests(self.source)
            print("No packages are requested: nothing to install")
            return True
        if self.policy.require_hashes:
            request.require_hashes()
        from address_files import fetch_files, refuse_sources, told_origins  # noqa: PLC0415

        packages = (*request.packages, *request.constraints)
        refuse_sources(packages, self.policy)
        files = fetch_files(packages, scratch, self.policy, is_complete=request.is_complete)
        wheels = request
        if self.policy.allow_source_packages:
            wheels = self._fetch_sources(request, files, scratch)
        if wheels.packages:
            self._install(wheels, files, scratch)
        make_reproducible(self.packages)
        record_addresses(self.packages, told_origins(files))
        self._write_lock()
        known = {package.name for package in request.packages}
        is_pinned = request.is_hashed and installed_names(self.packages) <= known
        if not read_plan(self.downloads):
            return is_pinned
        if self.builds_itself:
            self.build_sources()
        return False

    def build_sources(self) -> bool:
        """Build what `run` has left to be built, and write the lock anew."""
        if read_plan(self.downloads):
            from source_builds import build_sources  # noqa: PLC0415 - seldom needed

            uv = self.uv.with_environment(self.index.kept_from(self.uv.environment))
            build_sources(self.downloads, self.packages, uv, self._native_interpreter())
            self._write_lock()
        return False

    def _fetch_sources(
        self, request: Request, files: dict[Package, Path], scratch: Path
    ) -> Request:
        from source_downloads import SourceDownloads  # noqa: PLC0415 - seldom needed
        from target import wheel_tags  # noqa: PLC0415

        sources = SourceDownloads(
            folder=self.downloads,
            scratch=scratch,
            uv=self._uv_of_index(),
            uv_arguments=("--python", self._native_interpreter(), *self.index.arguments),
            credential=self.index.credential,
            policy=self.policy,
            environment=marker_environment(self.version),
            tags=wheel_tags(self.version, native=True),
        )
        wheels = sources.resolve(request, files)
        sources.finish()
        return wheels

    def _install(self, request: Request, files: dict[Package, Path], scratch: Path) -> None:
        arguments = ["pip", "install", "--target", str(self.packages), "--no-progress"]
        arguments += ["--link-mode", "copy", "--python", self._interpreter() or sys.executable]
        arguments += ["--python-version", self.version, "--only-binary", ":all:"]
        platform = None if self.policy.allow_source_packages else uv_platform()
        arguments += ["--python-platform", platform] if platform else []
        arguments += [*request.options, *self.index.arguments]
        arguments += ["--no-deps"] if request.is_complete else []
        arguments += ["--require-hashes"] if self.policy.require_hashes else []
        for option, listed in (
            ("--requirements", request.packages),
            ("--constraints", request.constraints),
        ):
            lines = [package.line(files.get(package)) for package in listed]
            file = scratch / f"{option.strip('-')}.txt"
            file.write_text("".join(f"{line}\n" for line in lines))
            arguments += [option, str(file)] if lines else []
        self._uv_of_index().run(*arguments)

    def _uv_of_index(self) -> Uv:
        return self.uv.with_environment(self.index.with_credential(self.uv.environment))

    def _write_lock(self) -> None:
        if any(self.packages.iterdir()):
            frozen = self.uv.output("pip", "freeze", "--quiet", "--path", str(self.packages))
            self.lock_file.write_text(without_credentials(frozen))

    def _native_interpreter(self) -> str:
        interpreter = self._interpreter()
        if interpreter is None:
            message = f"building source packages needs python{self.version} in the builder"
            raise RecipeError("InterpreterMissing", message, temporary=True)
        return interpreter

    def _interpreter(self) -> str | None:
        return sys.executable if is_own(self.version) else shutil.which(f"python{self.version}")


def recipe_from(environment: Mapping[str, str]) -> Recipe:
    """The recipe of a build's environment."""
    version = environment["RUNTIME_VERSION"]
    if not re.fullmatch(r"3\.\d+", version):
        raise RecipeError("UnsupportedRuntime", f"python{version} is not a runtime")
    source, temporary = (Path(environment[name]).resolve() for name in ("SOURCE_DIR", "TMPDIR"))
    downloads = Path(environment.get("DOWNLOADS_DIR") or temporary / "downloads").resolve()
    index = PackageIndex.read(environment)
    return Recipe(
        source=source,
        packages=Path(environment["PACKAGES_DIR"]).resolve(),
        lock_file=Path(environment["LOCK_FILE"]).resolve(),
        temporary=temporary,
        downloads=downloads,
        builds_itself="DOWNLOADS_DIR" not in environment,
        version=version,
        index=index,
        policy=Policy(
            indexes=index.addresses,
            prefixes=read_prefixes(environment.get("PACKAGE_URL_PREFIXES")),
            allow_git=environment.get("ALLOW_GIT_PACKAGES") == "true",
            allow_source_packages=environment.get("ALLOW_SOURCE_PACKAGES") == "true",
            require_hashes=environment.get("REQUIRE_HASHES") == "true",
        ),
        uv=Uv(
            folder=temporary,
            environment=_uv_environment(environment),
            hidden=(str(source), str(downloads), str(temporary)),
            secrets=index.secrets,
        ),
    )


def _uv_environment(environment: Mapping[str, str]) -> dict[str, str]:
    passed_on = {name: value for name, value in environment.items() if name not in _OURS}
    if "PIP_CERT" in environment:
        # A machine that is set up for pip alone; uv has names of its own for the same things.
        passed_on.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    if "PIP_INDEX_URL" in environment and "UV_INDEX_URL" not in environment:
        passed_on.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    if _MACHINES_SETTINGS.is_file():
        passed_on.setdefault("UV_CONFIG_FILE", str(_MACHINES_SETTINGS))
    if "UV_CONFIG_FILE" not in passed_on:
        # It would look for settings in all folders above.
        passed_on["UV_NO_CONFIG"] = "1"
    return {
        **with_system_certificates(passed_on),
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_COLOR": "1",
    }


def run(step: Callable[[Recipe], bool]) -> int:
    """Exit code of the contract; the reason of a failure is in RESULT_FILE."""
    environment = os.environ  # noqa: TID251 - the recipe's settings, read in this one place
    result = Path(environment["RESULT_FILE"])
    try:
        if step(recipe_from(environment)):
            result.write_text(json.dumps({"pinned": True}))
    except RecipeError as error:
        # The build step reports it; the installer's own words are in the log already.
        result.write_text(json.dumps({"reason": error.reason, "message": error.message}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run(Recipe.run))
