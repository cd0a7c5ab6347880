"""What an installation says of the packages of all lambdas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from knative_lambda.domain.language import language_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageIndex:
    """Where packages come from."""

    url: str | None = None
    """None is what the installer of a language chooses itself."""
    credentials: str | None = field(default=None, repr=False)
    """JSON: {"username": "...", "password": "..."}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageIndexes:
    """A language that has an index of its own gets nothing of the common one."""

    common: PackageIndex = field(default_factory=PackageIndex)
    own: Mapping[str, PackageIndex] = field(default_factory=dict)

    def of(self, runtime: str) -> PackageIndex:
        """Return the one index of a runtime's language."""
        return self.own.get(language_name(runtime), self.common)


@dataclass(frozen=True, slots=True)
class IndexCredentials:
    """Language -> JSON of user and password."""

    known: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the setting; `ValueError` says what it must be, and nothing of what it is."""
        try:
            return cls({name: _credentials(entry) for name, entry in json.loads(text).items()})
        except (ValueError, AttributeError, RecursionError):
            raise ValueError(
                'must be JSON such as {"<language>": {"username": "...", "password": "..."}}'
            ) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class PackagesPolicy:
    """Packages that were installed under another one are not taken again."""

    platform: str
    indexes: PackageIndexes
    policy: str
    """All settings beside the index that decide what may be installed."""
    max_age: timedelta
    """Of packages that no hash names; then they are resolved anew."""
    max_bytes: int


def _credentials(entry: object) -> str:
    match entry:
        case {"username": str(username), "password": str(password), **more} if not more:
            if username and password:
                return json.dumps({"username": username, "password": password})
    raise ValueError("must be a user and a password")
