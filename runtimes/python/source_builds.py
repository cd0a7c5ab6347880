"""Builds the packages that were fetched as source: without network, and without any credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer_errors import RecipeError
from package_tree import make_reproducible, record_addresses
from source_plan import WHEELS, read_plan

if TYPE_CHECKING:
    from pathlib import Path

    from uv_program import Uv


def build_sources(downloads: Path, packages: Path, uv: Uv, interpreter: str) -> None:
    """Install what `SourceDownloads` has left, and what it was built with stays out.

    Code of strangers runs here: build backends, and the packages themselves.
    """
    plan = read_plan(downloads)
    if not plan:
        return
    lines = []
    for entry in plan:
        inside = f"#subdirectory={entry['subdirectory']}" if entry["subdirectory"] else ""
        lines.append(f"{entry['name']} @ {(downloads / entry['place']).as_uri()}{inside}\n")
    requirements = downloads / "sources.txt"
    requirements.write_text("".join(lines))
    arguments = ["pip", "install", "--target", str(packages), "--no-progress", "--no-deps"]
    arguments += ["--offline", "--no-index", "--find-links", str(downloads / WHEELS)]
    # What one package leaves in a cache would be another's.
    arguments += ["--no-cache", "--link-mode", "copy", "--python", interpreter]
    try:
        uv.run(*arguments, "--requirements", str(requirements))
    except RecipeError as error:
        if error.reason in {"PackageIndexUnavailable", "RequirementNotFound"}:
            message = (
                f"{error.message}\nA package is built without network, with what its build-system"
                " in pyproject.toml requires"
            )
            raise RecipeError("PackageBuildFailed", message) from None
        raise
    make_reproducible(packages)
    record_addresses(packages, {entry["name"]: entry["origin"] for entry in plan})
