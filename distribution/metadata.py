"""Dependencies of the wheel: those of its packages, each in a pyproject.toml of its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_NAME = re.compile(r"[A-Za-z0-9._-]+")


class PackagesMetadata(MetadataHookInterface):
    """Unites the dependencies of the workspace's packages, without the packages themselves."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the dependencies; hatchling calls this."""
        root = Path(self.root)
        workspace = _read(root)["tool"]["uv"]["workspace"]["members"]
        projects = [_read(root / member)["project"] for member in workspace]
        ours = {project["name"] for project in projects}
        needed = {line for project in projects for line in project["dependencies"]}
        metadata["dependencies"] = sorted(line for line in needed if _name(line) not in ours)


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0] if found else ""
