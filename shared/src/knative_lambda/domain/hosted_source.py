"""Sources that are not in storage: archives at https://, repositories at git+https://."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from knative_lambda.domain.errors import UnsupportedSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTPS = "https://"
GIT = "git+https://"

_CREDENTIALS = re.compile(r"(git\+)?https://[^/?#]*@")
_GIT = re.compile(
    r"git\+(?P<repository>https://[^/?#@\s]+/[^?#@\s]+)(@(?P<ref>[^?#@\s]+))?(#(?P<path>[^#]*))?"
)
# What git allows in the name of a branch or a tag, less what no one uses.
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,254}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NEVER_IN_A_REF = ("..", "//", "/.", ".lock/")


class SourceFile(NamedTuple):
    """One file of a source; `path` is relative, with `/`."""

    path: str
    content: bytes
    is_executable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """The files of one commit, below the path that was asked for."""

    commit: str
    files: Iterator[SourceFile]


@dataclass(frozen=True, kw_only=True, slots=True)
class GitSource:
    """What a uri with git+https:// names."""

    repository: str
    """Its https:// URL."""
    ref: str | None
    """A branch, a tag, a whole name such as refs/pull/1/head, or a commit; None is the default
    branch."""
    path: str
    """A folder or a file in it; empty for all of it."""

    @property
    def is_commit(self) -> bool:
        """Whether the ref is a commit, and not a name that somebody may move."""
        return self.ref is not None and _COMMIT.fullmatch(self.ref) is not None


def is_hosted(uri: str) -> bool:
    """Whether a host of its own has this source, and not storage."""
    return uri.startswith((HTTPS, GIT))


def names_one_object(uri: str) -> bool:
    """Whether there are bytes that a SHA-256 can be of."""
    return bool(uri) and not uri.endswith("/") and not uri.startswith("git+")


def has_credentials(uri: str) -> bool:
    """Whether a hosted source names a user, which everybody could read in the record."""
    return _CREDENTIALS.match(uri) is not None


def read_git_uri(uri: str) -> GitSource:
    """Read `git+https://host/repository@ref#path`; `UnsupportedSourceError` says what is wrong."""
    found = _GIT.fullmatch(uri)
    if found is None:
        raise _invalid("must be git+https://host/repository@ref#path; @ref and #path may be absent")
    ref, path = found["ref"], (found["path"] or "").strip("/")
    if ref is not None and not _is_ref(ref):
        raise _invalid("has no branch, tag or commit of 40 digits after its @")
    if path and not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise _invalid("has no path inside the repository after its #")
    return GitSource(repository=found["repository"].rstrip("/"), ref=ref, path=path)


def _is_ref(ref: str) -> bool:
    is_named = _REF.fullmatch(ref) is not None and not ref.endswith((".", "/", ".lock"))
    return is_named and not any(part in ref for part in _NEVER_IN_A_REF)


def _invalid(problem: str) -> UnsupportedSourceError:
    return UnsupportedSourceError(f"source.uri {problem}", field="source.uri")
