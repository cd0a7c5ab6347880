"""What a pyproject.toml asks for, as its lock has to have heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from installer_errors import RecipeError, without_credentials
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from project_files import table, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


def parse(lines: Iterable[str], where: str, file: str = "pyproject.toml") -> Iterator[Wanted]:
    """Requirements as comparable values; `InvalidRequirements` shows the one that is none."""
    for text in lines:
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
    for extra, listed in table(document, "project", "optional-dependencies").items():
        yield from parse(texts(listed, extra), "an extra")


def grouped_dependencies(document: Mapping[str, Any]) -> Iterator[Wanted]:
    """Those of the groups of development."""
    groups = {
        canonicalize_name(name): entries
        for name, entries in table(document, "dependency-groups").items()
    }
    for name in groups:
        yield from parse(_members(groups, name), f"group {name}")
    of_uv = table(document, "tool", "uv").get("dev-dependencies")
    yield from parse(texts(of_uv, "dev-dependencies"), "group dev")


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
