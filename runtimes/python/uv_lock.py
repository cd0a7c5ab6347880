"""Whether a uv.lock was made for the pyproject.toml beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError
from lock_differences import out_of_date
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from project_files import project_dependencies, read_toml, table, tables, text_of, texts
from project_requirements import (
    Wanted,
    grouped_dependencies,
    optional_dependencies,
    parse,
    wanted,
)
from source_text import MANIFEST_BYTES, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# Where a package is from, in place of its versions.
_PLACES = frozenset({"url", "git", "path", "directory", "editable", "virtual", "workspace"})


def check_uv_lock(lock: Path, project: Path) -> None:
    """`LockOutOfDate` unless the lock has heard of exactly what the project asks for.

    The same rule as `uv lock --check`, which would need the network, an index and the project's
    own code for it: so packages of groups for development count, and markers do not.
    """
    document, locked = read_toml(project), read_toml(lock)
    _reject_many_specifiers(locked)
    asked, heard = set(_asked(document)), set(_heard(locked))
    if project_dependencies(document) is None:
        heard = {requirement for requirement in heard if requirement.where != "the project"}
    if "optional-dependencies" in texts(table(document, "project").get("dynamic"), "dynamic"):
        heard = {requirement for requirement in heard if requirement.where != "an extra"}
    placed = _placed(document) | _placed_by(_entries(locked))
    asked, heard = _without_versions(asked, placed), _without_versions(heard, placed)
    if asked != heard:
        raise out_of_date(lock, project, asked - heard, heard - asked)


def _asked(document: Mapping[str, Any]) -> Iterator[Wanted]:
    own = canonicalize_name(text_of(table(document, "project"), "name", "pyproject.toml"))
    yield from parse(project_dependencies(document) or [], "the project")
    # An extra may name extras of its own project, which some versions of uv resolve in the lock.
    yield from (each for each in optional_dependencies(document) if each.name != own)
    yield from grouped_dependencies(document)


def _heard(locked: Mapping[str, Any]) -> Iterator[Wanted]:
    own = canonicalize_name(text_of(_root(locked), "name", "uv.lock"))
    for entry in tables(_metadata(locked).get("requires-dist"), "uv.lock"):
        is_optional = re.search(r"\bextra\s*==", text_of(entry, "marker", "uv.lock"))
        requirement = _parsed(entry, "an extra" if is_optional else "the project")
        if not (is_optional and requirement.name == own):
            yield requirement
    for group, entries in _groups(locked):
        for entry in entries:
            yield _parsed(entry, f"group {canonicalize_name(group)}")


def _parsed(entry: Mapping[str, Any], where: str) -> Wanted:
    try:
        versions = SpecifierSet(text_of(entry, "specifier", "uv.lock"))
    except ValueError as error:
        raise RecipeError("InvalidRequirements", f"uv.lock: {shown(str(error))}") from None
    extras = texts(entry.get("extras"), "extras", "uv.lock")
    return wanted(where, text_of(entry, "name", "uv.lock"), extras, versions)


def _reject_many_specifiers(locked: Mapping[str, Any]) -> None:
    # Each costs time; what they were made from fits in a pyproject.toml.
    specifiers = (text_of(entry, "specifier", "uv.lock") for entry in _entries(locked))
    if sum(map(len, specifiers)) > MANIFEST_BYTES:
        raise RecipeError("InvalidRequirements", "uv.lock has too many specifiers")


def _entries(locked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from tables(_metadata(locked).get("requires-dist"), "uv.lock")
    for _, entries in _groups(locked):
        yield from entries


def _groups(locked: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    of_project = table(_metadata(locked), "requires-dev")
    of_workspace = table(locked, "manifest", "dependency-groups")
    for group, entries in (of_project | of_workspace).items():
        yield group, tables(entries, "uv.lock")


def _metadata(locked: Mapping[str, Any]) -> dict[str, Any]:
    return table(_root(locked), "metadata")


def _root(locked: Mapping[str, Any]) -> dict[str, Any]:
    """The package that is the project itself; none in a workspace that is no project."""
    for package in tables(locked.get("package"), "uv.lock"):
        source = table(package, "source")
        if "." in (source.get("virtual"), source.get("editable"), source.get("directory")):
            return package
    return {}


def _placed(document: Mapping[str, Any]) -> set[str]:
    """Names of packages that do not come from an index."""
    sources = table(document, "tool", "uv", "sources")
    return {
        canonicalize_name(name)
        for name, source in sources.items()
        if any(_PLACES & each.keys() for each in tables(_listed(source), "pyproject.toml"))
    }


def _placed_by(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    return {
        canonicalize_name(text_of(entry, "name", "uv.lock"))
        for entry in entries
        if _PLACES & entry.keys()
    }


def _without_versions(requirements: set[Wanted], names: set[str]) -> set[Wanted]:
    return {
        requirement._replace(versions=SpecifierSet()) if requirement.name in names else requirement
        for requirement in requirements
    }


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
