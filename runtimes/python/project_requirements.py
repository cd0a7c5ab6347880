"""What a pyproject.toml asks for, as its lock has to have heard of it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from installer_errors import RecipeError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from project_files import MAX_TEXT_CHARACTERS, table, texts
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.specifiers import SpecifierSet

MAX_REQUIREMENTS = 5000
_MAX_INCLUDED = 200_000


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


class _Group(NamedTuple):
    own: set[Wanted]
    included: set[str]


def parse(lines: Iterable[str], where: str, file: str = "pyproject.toml") -> Iterator[Wanted]:
    """Requirements as comparable values; `InvalidRequirements` shows the one that is none."""
    for number, text in enumerate(lines, 1):
        if number > MAX_REQUIREMENTS:
            raise _invalid(f"{file}: {where} asks for more than {MAX_REQUIREMENTS} packages")
        parsed = requirement(text, file)
        yield wanted(where, parsed.name, parsed.extras, parsed.specifier)


def requirement(text: str, file: str) -> Requirement:
    """The requirement, marker and address included; `InvalidRequirements` where it is none."""
    problem = f"it is longer than {MAX_TEXT_CHARACTERS} characters"
    if len(text) <= MAX_TEXT_CHARACTERS:
        try:
            return Requirement(text)
        except InvalidRequirement as error:
            # What follows repeats the text.
            problem = shown(str(error).partition("\n")[0])
        except RecursionError:
            problem = "its parentheses are nested too deep"
    raise _invalid(f"{file}: {shown(text)!r} is not a requirement: {problem}")


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
        canonicalize_name(name): _group(name, listed)
        for name, listed in table(document, "dependency-groups").items()
    }
    # Each group may include all others.
    if len(groups) * sum(map(len, chain.from_iterable(groups.values()))) > _MAX_INCLUDED:
        raise _invalid("pyproject.toml has too many dependency groups")
    for name in groups:
        for member in _members(groups, name):
            yield member._replace(where=f"group {name}")
    of_uv = table(document, "tool", "uv").get("dev-dependencies")
    yield from parse(texts(of_uv, "dev-dependencies"), "group dev")


def _group(name: str, listed: object) -> _Group:
    entries = listed if isinstance(listed, list) else [None]
    included = [entry.get("include-group") for entry in entries if isinstance(entry, dict)]
    own = [entry for entry in entries if not isinstance(entry, dict)]
    if not all(isinstance(text, str) for text in own + included):
        raise _unreadable(name)
    return _Group(set(parse(own, f"group {shown(name)}")), set(map(canonicalize_name, included)))


def _members(groups: Mapping[str, _Group], name: str) -> Iterator[Wanted]:
    """The requirements of a group and of all that it includes."""
    pending, seen = [name], {name}
    while pending:
        group = groups.get(current := pending.pop())
        if group is None:
            raise _unreadable(current)
        yield from group.own
        pending += group.included - seen
        seen |= group.included


def _unreadable(group: str) -> RecipeError:
    return _invalid(f"pyproject.toml: the dependency group {shown(group)!r} cannot be read")


def _invalid(message: str) -> RecipeError:
    return RecipeError("InvalidRequirements", message)
