"""Which file says what a source needs, and what it may say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from foreign_locks import note_unread, refuse_foreign_lock
from installer_errors import RecipeError
from pinned_versions import check_compiled, check_pylock
from project_requirements import project_dependencies, read_toml, table
from uv_lock import check_uv_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(\S+)")
_INDEX = re.compile(
    r"-i\b|-f\b|--(?:index-url|extra-index-url|find-links|no-index|trusted-host|pypi-url)\b",
)
_EDITABLE = re.compile(r"(?:-e|--editable)\b")
_LOCAL = re.compile(r"(?:.*@\s*)?(?:file:|\.{0,2}/)")


def find_requirements(source: Path, temporary: Path, python_version: str) -> Path | None:
    """The file to install from: requirements.txt, else a lock, else pyproject's dependencies.

    None where nothing is asked for. `LockOutOfDate` and `UnsupportedLock` where a lock would not
    say what is installed.
    """
    requirements = source / "requirements.txt"
    # Templates bring one along that names nothing: it hides no other file.
    if requirements.is_file() and not is_empty(requirements):
        _check(requirements, source, seen=set())
        check_compiled(requirements, (line for _, line in _lines(requirements)), python_version)
        note_unread(source, requirements)
        return requirements
    return _lock(source, python_version) or _of_project(source, temporary)


def _lock(source: Path, python_version: str) -> Path | None:
    project = source / "pyproject.toml"
    if (lock := source / "pylock.toml").is_file():
        if project.is_file():
            check_pylock(lock, project, python_version)
        note_unread(source, lock)
        return lock
    if (lock := source / "uv.lock").is_file():
        if not project.is_file():
            message = "uv.lock is there and its pyproject.toml is not; deploy both"
            raise RecipeError("InvalidRequirements", message)
        check_uv_lock(lock, project)
        note_unread(source, lock)
        return lock
    refuse_foreign_lock(source)
    return None


def _of_project(source: Path, temporary: Path) -> Path | None:
    project = source / "pyproject.toml"
    if not project.is_file():
        return None
    document = read_toml(project)
    dependencies = project_dependencies(document)
    if dependencies is None or (
        "dependencies" not in table(document, "project") and "poetry" in table(document, "tool")
    ):
        message = (
            "pyproject.toml has no [project] dependencies that can be read without running code;"
            " list them there, or add a requirements.txt"
        )
        raise RecipeError("InvalidRequirements", message)
    if not dependencies:
        return None
    written = temporary / "project-requirements.txt"
    written.write_text("".join(f"{dependency}\n" for dependency in dependencies))
    _check(written, temporary, seen=set())
    return written


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


def is_empty(file: Path) -> bool:
    """Whether a file of requirements names nothing."""
    return not any(_lines(file))


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError("InvalidRequirements", f"{file.name} is not UTF-8") from None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped
