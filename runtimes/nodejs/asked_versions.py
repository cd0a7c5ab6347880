"""What is asked for in the place of a version: a version, or an address, in npm's notation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from addresses import Address

NAME = re.compile(r"(@[\w.~-]+/)?[\w~!'()*-][\w.~!'()*-]*", re.ASCII)
_ALIAS = re.compile(r"npm:(?P<name>(?:@[^/@]+/)?[^/@]+)(?:@(?P<version>.*))?", re.IGNORECASE)
# npm takes anything with a slash or a colon for something else than a version or a tag.
_NO_VERSION = re.compile(r"[/:\\]|^\s*[.~]$|^\s*\.|\.(tgz|tar\.gz|tar)\s*$", re.IGNORECASE)
_LOCAL = re.compile(r"(file|link|workspace|portal):|[a-z]:[\\/]|\.{0,2}/|~/|\.", re.IGNORECASE)
_FORGES = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SHORTHAND = re.compile(r"((?P<forge>[a-z]+):)?(?P<path>[\w.-]+/[\w.-]+?)(\.git)?", re.ASCII)
_SCP = re.compile(r"git@(?P<host>[\w.-]+):(?P<path>[^:]+)", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class AskedVersion:
    """One request; `address` is None where it is none that could be allowed."""

    kind: str
    """`version` comes from the index, `local` from the source; `file` and `git` have an address."""
    address: Address | None = None
    commit: str | None = None


def read_asked_version(text: str) -> AskedVersion:
    """What npm would make of the text, or something stricter."""
    if alias := _ALIAS.fullmatch(text):
        version = alias["version"] or ""
        is_plain = NAME.fullmatch(alias["name"]) and not _NO_VERSION.search(version)
        return AskedVersion(kind="version" if is_plain else "file")
    if not _NO_VERSION.search(text):
        return AskedVersion(kind="version")
    text = text.strip()
    if _LOCAL.match(text):
        return AskedVersion(kind="local")
    return _addressed(text)


def _addressed(text: str) -> AskedVersion:
    place, _, revision = text.partition("#")
    commit = revision if _COMMIT.fullmatch(revision) else None
    shorthand = _SHORTHAND.fullmatch(place)
    if shorthand and (shorthand["forge"] is None or shorthand["forge"] in _FORGES):
        host = _FORGES[shorthand["forge"] or "github"]
        return _git(f"https://{host}/{shorthand['path']}", commit)
    if scp := _SCP.fullmatch(place.removeprefix("git+ssh://")):
        return _git(f"https://{scp['host']}/{scp['path']}", commit)
    scheme = place.partition("://")[0].lower()
    if scheme.startswith(("git", "ssh")):
        secure = re.sub(r"^(git\+)?(ssh|https)://(git@)?", "https://", place, flags=re.IGNORECASE)
        return _git(secure, commit)
    address = Address.parse(place)
    if address is not None and _is_repository(address):
        return _git(place, commit)
    return AskedVersion(kind="file", address=address)


def _is_repository(address: Address) -> bool:
    # npm clones what is the page of a repository of a known forge.
    is_page = address.host.removeprefix("www.") in _FORGES.values() and len(address.segments) <= 2  # noqa: PLR2004 - owner and name
    return is_page or bool(address.segments and address.segments[-1].endswith(".git"))


def _git(place: str, commit: str | None) -> AskedVersion:
    address = Address.parse(place.removesuffix("/").removesuffix(".git"))
    return AskedVersion(kind="git", address=address, commit=commit)
