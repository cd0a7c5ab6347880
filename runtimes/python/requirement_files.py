"""Which file says what a source needs, and what it may say."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(\S+)")
_INDEX = re.compile(
    r"-i\b|-f\b|--(?:index-url|extra-index-url|find-links|no-index|trusted-host|pypi-url)\b",
)
_EDITABLE = re.compile(r"(?:-e|--editable)\b")
_LOCAL = re.compile(r"(?:.*@\s*)?(?:file:|\.{0,2}/)")


def find_requirements(source: Path, temporary: Path) -> Path | None:
    """The file to install from: requirements.txt, else a lock, else pyproject's dependencies."""
    requirements = source / "requirements.txt"
    if requirements.is_file():
        _check(requirements, source, seen=set())
        return requirements
    if (source / "pylock.toml").is_file():
        return source / "pylock.toml"
    if not (source / "pyproject.toml").is_file():
        return None
    if (source / "uv.lock").is_file():
        return source / "uv.lock"
    dependencies = _project_dependencies(source / "pyproject.toml")
    written = temporary / "project-requirements.txt"
    written.write_text("".join(f"{dependency}\n" for dependency in dependencies))
    _check(written, temporary, seen=set())
    return written


def _project_dependencies(file: Path) -> list[str]:
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise RecipeError("InvalidRequirements", f"pyproject.toml: {error}") from None
    project = document.get("project", {})
    dependencies = project.get("dependencies")
    if dependencies is None and (
        "dependencies" in project.get("dynamic", []) or "poetry" in document.get("tool", {})
    ):
        message = (
            "pyproject.toml has no [project] dependencies that can be read without running code;"
            " list them there, or add a requirements.txt"
        )
        raise RecipeError("InvalidRequirements", message)
    if not isinstance(dependencies or [], list) or not all(
        isinstance(dependency, str) for dependency in dependencies or []
    ):
        raise RecipeError("InvalidRequirements", "pyproject.toml: dependencies is no list of text")
    return dependencies or []


def _check(file: Path, folder: Path, seen: set[Path]) -> None:
    seen.add(file)
    for number, line in _lines(file):
        place = f"{file.relative_to(folder)} line {number}"
        if _INDEX.match(line):
            message = (
                f'{place}: "{line.split()[0].partition("=")[0]}" is not allowed; the package index'
                " is a setting of the platform"
            )
            raise RecipeError("PackageIndexNotAllowed", message)
        if _EDITABLE.match(line):
            message = f"{place}: an editable package cannot be installed into an image"
            raise RecipeError("InvalidRequirements", message)
        if "${" in line:
            message = f"{place}: environment variables are not replaced"
            raise RecipeError("InvalidRequirements", message)
        if _LOCAL.match(line):
            message = f"{place}: packages come from the index; put local modules beside the handler"
            raise RecipeError("InvalidRequirements", message)
        include = _INCLUDE.match(line)
        if include:
            included = _included(include[1], file, folder, place)
            if included not in seen:
                _check(included, folder, seen)


def _included(name: str, file: Path, folder: Path, place: str) -> Path:
    included = (file.parent / name).resolve()
    if not included.is_relative_to(folder):
        raise RecipeError("InvalidRequirements", f"{place}: {name} is outside the source")
    if not included.is_file():
        raise RecipeError("InvalidRequirements", f"{place}: there is no file {name}")
    return included


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError("InvalidRequirements", f"{file.name} is not UTF-8") from None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped
