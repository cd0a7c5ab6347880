"""The index that packages come from, and its addresses."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL = "https://registry.npmjs.org/"
_DEFAULT_HOSTS = {"registry.npmjs.org", "registry.npmjs.com", "registry.yarnpkg.com"}
# How every registry that npm publishes to writes the address of a package.
_TARBALL = re.compile(
    r"(?P<name>(@[\w.~-]+/)?[\w~!'()*-][\w.~!'()*-]*)/-/(@[\w.~-]+/)?(?P<file>[\w.+~-]+\.tgz)",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """One registry; its credential goes to its own addresses only."""

    url: str
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, url: str, *, authorization: str | None = None) -> Self:
        """The index of an address, whose user and password are a credential as well."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        if authorization is None and parts.username is not None:
            authorization = basic(unquote(parts.username), unquote(parts.password or ""))
        path = parts.path.rstrip("/") + "/"
        plain = urlunsplit((parts.scheme, host, path, "", ""))
        return cls(url=plain, authorization=authorization)

    def has(self, url: str) -> bool:
        """Whether the address is below the index's own."""
        return url.startswith(self.url) and _is_straight(url)

    def is_on_host_of(self, url: str) -> bool:
        """Whether the same server has the address."""
        ours, theirs = urlsplit(self.url), _split(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc) and _is_straight(url)


@dataclass(frozen=True, kw_only=True)
class PackageIndexes:
    """The index, and those of scopes where the owner of this machine has any."""

    default: PackageIndex
    of_scopes: Mapping[str, PackageIndex] = field(default_factory=dict)

    def of(self, name: str) -> PackageIndex:
        """Where a package of this name comes from."""
        return self.of_scopes.get(name.partition("/")[0], self.default)

    def all(self) -> tuple[PackageIndex, ...]:
        """Every index, each once or more."""
        return (self.default, *self.of_scopes.values())

    def tarball_path(self, url: str) -> str | None:
        """`name/-/file` of a public or an own address; None for any other."""
        url = url.partition("#")[0].partition("?")[0]
        parts = _split(url)
        if parts.scheme in {"http", "https"} and parts.netloc.lower() in _DEFAULT_HOSTS:
            path = parts.path.removeprefix("/")
        else:
            index = next((each for each in self.all() if url.startswith(each.url)), None)
            path = url.removeprefix(index.url) if index else ""
        found = tarball(unquote(path))
        return None if found is None else f"{found[0]}/-/{found[1]}"


def tarball(path: str) -> tuple[str, str] | None:
    """Name and file of a tarball's path."""
    found = _TARBALL.fullmatch(path)
    return None if found is None else (found["name"], found["file"])


def basic(user: str, password: str) -> str:
    """The value of the header Authorization."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _split(url: str) -> SplitResult:
    """The parts of an address that anybody may have written; none of what is no address."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_straight(url: str) -> bool:
    segments = unquote(_split(url).path).replace("\\", "/").split("/")
    return not {".", ".."} & set(segments)
