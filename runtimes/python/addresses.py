"""Where packages may come from: one index, and the addresses that the operator allows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from installer_errors import RecipeError
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

# What they serve, the configured index serves by the same name, version and hash.
_PUBLIC_HOSTS = frozenset({"pypi.org", "pypi.python.org", "files.pythonhosted.org"})
_PORTS = {"https": 443, "http": 80}
# Programs disagree about where the path begins, or what it is, if one of these is in it.
_AMBIGUOUS = re.compile(r"[^!-~]|[\\|^`{}<>\"]")
_ENCODED = re.compile(r"%(?:2f|5c|2e|25|00)|%(?![0-9a-f]{2})", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Address(NamedTuple):
    """An address in its one normal form."""

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...]

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a credential belongs to."""
        return self[:3]

    def is_below(self, prefix: Address) -> bool:
        """Whether it begins with the prefix, whole segments of the path at a time."""
        beginning = self.segments[: len(prefix.segments)]
        return self.origin == prefix.origin and beginning == prefix.segments


def parse_address(url: str) -> Address:
    """The address of a URL; `ValueError` for one that programs may read in different ways."""
    if _AMBIGUOUS.search(url):
        raise ValueError("it has characters that an address cannot have")
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    if port is None or not parts.hostname:
        raise ValueError("it is not an address of https")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ValueError("it has a user name or a password in it")
    if _ENCODED.search(parts.path):
        raise ValueError("its path hides characters")
    path = parts.path.removeprefix("/").removesuffix("/")
    segments = path.split("/") if path else []
    if any(segment in {"", ".", ".."} for segment in segments):
        raise ValueError("its path is not in its shortest form")
    host = parts.hostname.rstrip(".").lower()
    return Address(parts.scheme, host, port, tuple(map(unquote, segments)))


def without_userinfo(url: str) -> str:
    """The URL, less a user name and a password."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    return SplitResult(parts.scheme, netloc, parts.path, parts.query, parts.fragment).geturl()


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the platform allows a source to ask for."""

    indexes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    allow_git: bool = False
    allow_source_packages: bool = False
    require_hashes: bool = False

    def is_index(self, url: str) -> bool:
        """Whether an index is the platform's, or the public one, whose packages it has too."""
        address = _known(url)
        return address is not None and (
            address in filter(None, map(_known, self.indexes))
            or (_is_public(address) and address.host == "pypi.org")
        )

    def is_beside_index(self, url: str) -> bool:
        """Whether the server of the platform's index has that address, or the public one."""
        address = _known(url)
        origins = {index.origin for index in map(_known, self.indexes) if index is not None}
        return address is not None and (_is_public(address) or address.origin in origins)

    def is_public(self, url: str) -> bool:
        """Whether it is a file of the public index."""
        address = _known(url)
        return address is not None and _is_public(address)

    def check_file(self, url: str, name: str, where: str) -> None:
        """`PackageSourceRefused` unless the operator allows the address."""
        try:
            address = parse_address(url.partition("#")[0])
        except ValueError as error:
            refuse(name, where, f"its address cannot be used: {error}")
        if not any(address.is_below(prefix) for prefix in self._prefixes()):
            place = f"{address.scheme}://{address.host}"
            refuse(
                name,
                where,
                f"it would come from {shown(place)}, which is neither the package index nor an"
                " address that the platform allows. Take it from the index, or have the platform's"
                " operator allow the address",
            )

    def check_git(self, url: str, commit: str, name: str, where: str) -> None:
        """The same for a repository of git, which has to be pinned to a commit."""
        if not self.allow_git:
            refuse(
                name,
                where,
                "it would come from git, which the platform does not allow. Take it from the index,"
                " or have the platform's operator allow git and the address",
            )
        self.check_file(url, name, where)
        if not _COMMIT.fullmatch(commit):
            refuse(name, where, "a package from git is pinned by its whole commit: ...@<40 digits>")

    def _prefixes(self) -> list[Address]:
        return [parse_address(prefix) for prefix in self.prefixes]


def read_prefixes(text: str | None) -> tuple[str, ...]:
    """The setting PACKAGE_URL_PREFIXES; a wrong one is the platform's mistake."""
    try:
        prefixes = json.loads(text or "[]")
        for prefix in prefixes:
            parse_address(prefix)
    except (ValueError, TypeError, AttributeError):
        message = "PACKAGE_URL_PREFIXES is not a JSON list of addresses"
        raise RecipeError("InvalidSettings", message, temporary=True) from None
    return tuple(prefixes)


def refuse(name: str, where: str, problem: str) -> NoReturn:
    """Raise `PackageSourceRefused` about a package of a file."""
    raise RecipeError("PackageSourceRefused", f"{where}: {shown(name)}: {problem}")


def indexes_of(texts: Iterable[str | None]) -> tuple[str, ...]:
    """The addresses in what names indexes for uv: `name=https://...`, several with spaces."""
    words = [word for text in texts if text for word in text.split()]
    return tuple(without_userinfo(re.sub(r"^[\w.-]+=", "", word)) for word in words)


def _known(url: str) -> Address | None:
    try:
        return parse_address(without_userinfo(url).partition("#")[0])
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    return address.host in _PUBLIC_HOSTS and address.origin[::2] == ("https", 443)
