"""Where packages may come from besides the index: what the operator allows, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from addresses import Address, without_user
from asked_versions import AskedVersion, read_asked_version
from installer_errors import RecipeError, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ADDRESS = "is no address that could be allowed"


@dataclass(frozen=True, kw_only=True)
class SourcePolicy:
    """The operator's say, whatever file asks."""

    prefixes: tuple[Address, ...] = ()
    allow_git: bool = False
    require_hashes: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The policy of a build; a prefix that cannot be compared safely allows nothing."""
        texts = _texts(environment.get("PACKAGE_URL_PREFIXES") or "[]")
        prefixes = [Address.parse(text) for text in texts]
        return cls(
            prefixes=tuple(prefix for prefix in prefixes if prefix is not None),
            allow_git=environment.get("ALLOW_GIT_PACKAGES") == "true",
            require_hashes=environment.get("REQUIRE_HASHES") == "true",
        )

    def allows(self, address: Address) -> bool:
        """Whether the address begins with one of the prefixes."""
        return any(address.is_below(prefix) for prefix in self.prefixes)

    def check(self, file: str, name: str, wanted: str) -> None:
        """Refuse what a file asks for if it would come from anywhere else."""
        asked = read_asked_version(wanted)
        if asked.kind == "local":
            message = f"{file}: {cut(name)} is a local package; packages come from the index"
            raise RecipeError("PackageSourceRefused", message)
        if problem := self.problem(asked):
            raise refused(f"{file}: {cut(name)}", wanted, problem)

    def problem(self, asked: AskedVersion) -> str | None:
        """Why this may not be fetched, if so."""
        if asked.kind == "version":
            return None
        if asked.kind == "git" and not self.allow_git:
            return "is a git repository, and git is not allowed here"
        if asked.address is None:
            return NO_ADDRESS
        if not self.allows(asked.address):
            return "is neither the package index nor an address that is allowed here"
        if asked.kind == "git" and asked.commit is None:
            return "names no full commit"
        return None


def refused(who: str, address: str, problem: str) -> RecipeError:
    """The refusal of an address, by the name and file of who asks for it."""
    shown = cut(without_user(address))
    way = "take the package from the index, or ask the operator to allow the address"
    if problem == NO_ADDRESS:
        way = "take the package from the index"
    if "full commit" in problem:
        way = "write it behind a #"
    return RecipeError("PackageSourceRefused", f"{who} comes from {shown}, which {problem}; {way}")


def _texts(setting: str) -> list[str]:
    try:
        prefixes = json.loads(setting)
    except ValueError:
        prefixes = None
    if not isinstance(prefixes, list) or not all(isinstance(each, str) for each in prefixes):
        message = "PACKAGE_URL_PREFIXES is not a JSON list of addresses"
        raise RecipeError("InvalidSettings", message, temporary=True)
    return prefixes
