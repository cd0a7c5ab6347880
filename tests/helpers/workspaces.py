"""Folders and tiny runtimes for tests of the later steps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def write_runtime(
    runtimes_dir: Path,
    *,
    language: str = "tiny",
    recipe: list[str] | None = None,
    script: str = "",
    source_recipe: list[str] | None = None,
) -> Path:
    """A runtime `<language>1.0` whose recipe is a shell script."""
    folder = runtimes_dir / language
    settings = {
        "language": language,
        "versions": ["1.0", "2.0"],
        "entrypoint": ["sh", "/runtime/serve.sh"],
        "server": "server",
        "packages": "packages",
        "default_handler": "main.handler",
        "recipe": recipe or ["sh", "recipe.sh"],
    }
    if source_recipe is not None:
        settings["source_recipe"] = source_recipe
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return write_files(
        folder,
        {
            "runtime.toml": "\n".join(lines),
            "recipe.sh": script,
            "server/serve.sh": "cat /function/source/main.txt\n",
        },
    )
