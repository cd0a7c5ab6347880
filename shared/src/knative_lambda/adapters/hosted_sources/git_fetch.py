"""Fetches one commit of a repository, without its history.

dulwich speaks the protocol. What it would do without bounds is done here and in `git_pack`: it
gets its bytes from an `Exchange`, and its reader of packs, which believes the sizes that a pack
states, is not used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dulwich.client import HttpGitClient
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository

from knative_lambda.domain.errors import (
    KnativeLambdaError,
    SourceNotFoundError,
    SourceUnavailableError,
    UnsupportedSourceError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import BinaryIO

    from knative_lambda.adapters.hosted_sources.https import Exchange, Response
    from knative_lambda.domain.hosted_source import GitSource

_SMART = "application/x-git-upload-pack-"
_TEXT_LENGTH = 200
_MOST_LISTED_BYTES = 4 * 1024 * 1024
_ERROR, _ERROR_BYTES = b"ERR ", 8
_ID = re.compile("[0-9a-f]{40}")


def fetch(exchange: Exchange, source: GitSource, pack: BinaryIO) -> str:
    """Write the objects of the commit that the ref names to `pack`, and return the ref's object.

    That is the commit, or a tag of it.
    """
    wanted = _Wanted(source)
    client = HttpGitClient(
        source.repository,
        pool_manager=_Requests(exchange),  # type: ignore[arg-type]
        thin_packs=False,
        quiet=True,
    )
    try:
        client.fetch_pack(
            "",
            wanted.choose,  # type: ignore[arg-type]  # its ids and names are bytes
            _NothingHere(),
            pack.write,
            depth=1,
            ref_prefix=wanted.prefixes,
        )
    except KnativeLambdaError:
        raise
    except NotGitRepository:
        raise _no_repository() from None
    except (GitProtocolError, HangupException) as error:
        exchange.check_time()
        raise _refused(source, error, exchange) from None
    except Exception as error:  # noqa: BLE001  # a stranger's bytes break their reader in many ways
        exchange.check_time()
        raise SourceUnavailableError(
            f"the source's host does not speak git as expected ({type(error).__name__})",
            field="source.uri",
        ) from None
    if wanted.chosen is not None and pack.tell() == 0:
        raise _no_commit(wanted.chosen)
    if wanted.chosen is None:
        raise SourceNotFoundError(
            f"the repository has no branch or tag {source.ref}"
            if source.ref is not None
            else "the repository has no default branch; name a branch, tag or commit after @",
            field="source.uri",
        )
    if not _ID.fullmatch(wanted.chosen):
        raise UnsupportedSourceError(
            "the repository names its objects by SHA-256, which is not supported",
            field="source.uri",
        )
    return wanted.chosen


class _Wanted:
    """Chooses the object of a ref among those that the host lists."""

    def __init__(self, source: GitSource) -> None:
        self._commit = source.ref if source.is_commit else None
        ref = source.ref or "HEAD"
        is_whole = ref == "HEAD" or ref.startswith("refs/")
        # As `git clone --branch` does: branches first.
        names = [ref] if is_whole else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        self.prefixes = [b"HEAD"] if self._commit else [name.encode() for name in names]
        self.chosen: str | None = None

    def choose(self, refs: Mapping[bytes, bytes], depth: int | None = None) -> list[bytes]:  # noqa: ARG002
        """Return what to fetch, which is nothing if no ref has this very name."""
        if self._commit is not None:
            self.chosen = self._commit
        else:
            found = (refs[name] for name in self.prefixes if refs.get(name))
            self.chosen = next((object_id.decode() for object_id in found), None)
        return [] if self.chosen is None else [self.chosen.encode()]


class _NothingHere:
    """A graph walker of an empty repository."""

    shallow: frozenset[bytes] = frozenset()

    def __next__(self) -> None:
        return None

    next = __next__

    def ack(self, object_id: bytes) -> None:
        """Do nothing: the host acknowledges nothing, as nothing is offered."""

    def nak(self) -> None:
        """Do nothing."""


class _Requests:
    """The part of urllib3's PoolManager that dulwich uses, on an exchange."""

    headers: Mapping[str, str] = {}

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        **_: object,
    ) -> Response:
        """Send a request; the response is git's, or an error is raised."""
        sent = {name: value for name, value in headers.items() if name in _HEADERS}
        content = body if body is None or isinstance(body, bytes) else b"".join(body)
        # What lists branches and tags is held in memory, unlike a pack.
        is_list = content is None or _LISTING in content
        bound = _MOST_LISTED_BYTES if is_list else None
        response = self._exchange.request(method, url, headers=sent, body=content, max_bytes=bound)
        if not response.headers.get("Content-Type", "").startswith(_SMART):
            # dulwich would go on with the old protocol, which reads a repository file by file.
            raise _no_repository()
        # dulwich does not know this line where it expects a pack.
        if response.peek(_ERROR_BYTES)[4:].startswith(_ERROR):
            raise GitProtocolError(response.peek(_TEXT_LENGTH)[8:].decode(errors="replace"))
        return response


_LISTING = b"command=ls-refs"
_HEADERS = {"Accept", "Content-Type", "Git-Protocol"}


def _no_repository() -> SourceNotFoundError:
    return SourceNotFoundError(
        "there is no git repository at source.uri, or it needs source.secretRef",
        field="source.uri",
    )


def _no_commit(commit: str) -> SourceNotFoundError:
    return SourceNotFoundError(
        f"the repository has no commit {commit}, or its host gives out branches and tags alone",
        field="source.uri",
    )


def _refused(source: GitSource, error: Exception, exchange: Exchange) -> KnativeLambdaError:
    said = "".join(c if c.isprintable() else " " for c in str(error))[:_TEXT_LENGTH].strip()
    if source.is_commit and "not our ref" in said:
        return _no_commit(source.ref or "")
    if exchange.is_authorized:
        # More people may read the record than the Secret.
        said = "its words are left out, since they may repeat the token of source.secretRef"
    return SourceUnavailableError(f"the source's host refuses: {said}", field="source.uri")
