"""The files of packages that are asked for by their address: fetched before uv runs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from addresses import Policy, refuse
from downloads import download, file_name
from installer_errors import RecipeError
from source_text import shown
from wheel_metadata import asks_for_address, requirements_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from requested_packages import Package


def fetch_files(
    packages: Iterable[Package],
    folder: Path,
    policy: Policy,
    *,
    is_complete: bool,
) -> dict[Package, Path]:
    """The wheels of those that do not come from the index.

    uv could fetch them itself, but it follows every redirect, and every address that such a wheel
    asks for in its turn.
    """
    files: dict[Package, Path] = {}
    for number, package in enumerate(packages):
        if package.address is None or package.is_source:
            continue
        told = f"{package.where}: {shown(package.name)}"
        # Two may have one name, and be for different extras.
        place = folder / str(number)
        place.mkdir()
        files[package] = place / file_name(package.address)
        fetch_file(package, files[package], policy)
        if not is_complete:
            for needed in requirements_of(files[package], told):
                refuse_address(needed, package)
    return files


def refuse_address(needed: str, package: Package) -> None:
    """`PackageSourceRefused` where a package asks for another one by its address."""
    if asks_for_address(needed):
        refuse(
            needed.partition("@")[0].strip(),
            package.where,
            f"{shown(package.name)} takes it from an address of its own. Deploy a lock"
            " (uv lock), which names both",
        )


def fetch_file(package: Package, target: Path, policy: Policy) -> str:
    """Fetch the file of a package; return its sha256."""

    def check(url: str) -> None:
        policy.check_file(url, package.name, package.where)

    told = f"{package.where}: {shown(package.name)}"
    return download(package.address or "", target, told=told, hashes=package.hashes, check=check)


def told_origins(files: Mapping[Package, Path]) -> dict[str, dict[str, Any]]:
    """Package -> where its file came from, as PEP 610 has it."""
    return {
        package.name: {
            "url": package.address,
            "archive_info": {"hashes": {"sha256": _sha256(file)}},
        }
        for package, file in files.items()
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def refuse_sources(packages: Iterable[Package], policy: Policy) -> None:
    """`SourcePackageRefused` for the first that would have to be built, if none may be."""
    for package in packages:
        if package.is_source and not policy.allow_source_packages:
            message = (
                f"{package.where}: {shown(package.name)} has no wheel for this runtime and would"
                " have to be built from source. Only built packages (wheels) are installed, because"
                " building one runs foreign code. Ask for a version that has a wheel, or have your"
                " tenant allow source packages"
            )
            raise RecipeError("SourcePackageRefused", message)
