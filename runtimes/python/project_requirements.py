"""What a pyproject.toml asks for, as its lock has to have heard of it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from installer_errors import RecipeError, without_credentials
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet


class Wanted(NamedTuple):
    """A requirement less its marker and address, of which every tool has a spelling of its own."""

    where: str
    name: str
    extras: frozenset[str]
    versions: SpecifierSet

    @property
    def text(self) -> str:
        """As a person would write it."""
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        return f"{self.name}{extras}{self.versions}"


def read_toml(file: Path) -> dict[str, Any]:
    """The document; `InvalidRequirements` says why it is none."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RecipeError("InvalidRequirements", f"{file.name}: {error}") from None


def table(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The table at that place, empty where there is none."""
    found: Any = document
    for name in names:
        found = found.get(name, {})
        if not isinstance(found, dict):
            message = f"{name} is no table of pyproject.toml or its lock"
            raise RecipeError("InvalidRequirements", message)
    return dict(found)


def tables(value: object, file: str) -> list[dict[str, Any]]:
    """The entries of a list of tables, none where there is no list."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RecipeError("InvalidRequirements", f"{file} is not in the form of its kind")
    return found


def project_dependencies(document: Mapping[str, Any]) -> list[str] | None:
    """The texts of `dependencies`; None where only running the project's code could tell them."""
    project = table(document, "project")
    dependencies = project.get("dependencies")
    if dependencies is None and "dependencies" in project.get("dynamic", []):
        return None
    return _texts(dependencies, "dependencies")


def parse(texts: Iterable[str], where: str, file: str = "pyproject.toml") -> Iterator[Wanted]:
    """Requirements as comparable values; `InvalidRequirements` shows the one that is none."""
    for text in texts:
        try:
            parsed = Requirement(text)
        except InvalidRequirement as error:
            problem = without_credentials(f"{file}: {text!r} is no requirement: {error}")
            raise RecipeError("InvalidRequirements", problem) from None
        yield wanted(where, parsed.name, parsed.extras, parsed.specifier)


def wanted(where: str, name: str, extras: Iterable[str], versions: SpecifierSet) -> Wanted:
    """A requirement by its canonical names."""
    extras = frozenset(map(canonicalize_name, extras))
    return Wanted(where, canonicalize_name(name), extras, versions)


def optional_dependencies(document: Mapping[str, Any]) -> Iterator[Wanted]:
    """Those of all extras; of none where they are dynamic."""
    for extra, texts in table(document, "project", "optional-dependencies").items():
        yield from parse(_texts(texts, extra), "an extra")


def grouped_dependencies(document: Mapping[str, Any]) -> Iterator[Wanted]:
    """Those of the groups of development."""
    groups = {
        canonicalize_name(name): entries
        for name, entries in table(document, "dependency-groups").items()
    }
    for name in groups:
        yield from parse(_members(groups, name), f"group {name}")
    of_uv = table(document, "tool", "uv").get("dev-dependencies")
    yield from parse(_texts(of_uv, "dev-dependencies"), "group dev")


def _members(groups: Mapping[str, Any], name: str) -> Iterator[str]:
    """The requirements of a group and of all that it includes."""
    pending, seen = [name], {name}
    while pending:
        entries = groups.get(current := pending.pop())
        if not isinstance(entries, list):
            message = f"pyproject.toml: the dependency group {current!r} cannot be read"
            raise RecipeError("InvalidRequirements", message)
        for entry in entries:
            if not isinstance(entry, dict):
                yield str(entry)
            elif (included := canonicalize_name(str(entry.get("include-group")))) not in seen:
                seen.add(included)
                pending.append(included)


def _texts(value: object, field: str) -> list[str]:
    found = value or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        message = f"pyproject.toml: {field} is no list of text"
        raise RecipeError("InvalidRequirements", message)
    return found
