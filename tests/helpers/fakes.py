"""One in-memory class per port; the contract tests prove that each keeps its port's contract."""

from __future__ import annotations

from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from knative_lambda.adapters.kubernetes.source_secrets import authorization_of
from knative_lambda.adapters.storage.copying import copy_limited
from knative_lambda.adapters.storage.uri import more_than, require_object_key, require_prefix
from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceAccessDeniedError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from knative_lambda.domain.hosted_source import Checkout, read_git_uri
from knative_lambda.domain.storage import SignedPut, StoredObject, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from typing import BinaryIO

    from knative_lambda.domain.hosted_source import SourceFile
    from knative_lambda.domain.names import FunctionId

T = TypeVar("T")


@dataclass(kw_only=True)
class InMemoryObjectStorage:
    """`ObjectStorage` in a dictionary of URI to content and time; takes every scheme."""

    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def describe(self, uri: str) -> StoredObject:
        content, modified_at = self._get(uri)
        return StoredObject(uri=uri, size_bytes=len(content), modified_at=modified_at)

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        require_prefix(prefix, _key(prefix))
        uris = sorted(uri for uri in self.objects if uri.startswith(prefix))
        for uri in uris[:limit]:
            yield self.describe(uri)
        if len(uris) > limit:
            raise more_than(limit, prefix)

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        content, _ = self._get(uri)
        return copy_limited([content], target, max_bytes=max_bytes, uri=uri)

    def write(self, uri: str, source: BinaryIO) -> None:
        require_object_key(uri, _key(uri))
        self.objects[uri] = (source.read(), self.now())

    def delete(self, uri: str) -> None:
        require_object_key(uri, _key(uri))
        self.objects.pop(uri, None)

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        require_object_key(uri, _key(uri))
        seconds = int(expires_in.total_seconds())
        return f"https://storage.invalid/{quote(uri)}?expires_in_seconds={seconds}"

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:
        require_object_key(uri, _key(uri))
        seconds = int(expires_in.total_seconds())
        return Upload(
            url=f"https://storage.invalid/{quote(uri)}?expires_in_seconds={seconds}",
            fields={"max_bytes": str(max_bytes)},
        )

    def signed_put(
        self, uri: str, *, expires_in: timedelta, size_bytes: int, sha256: str
    ) -> SignedPut | None:
        require_object_key(uri, _key(uri))
        seconds = int(expires_in.total_seconds())
        return SignedPut(
            url=f"https://storage.invalid/{quote(uri)}?expires_in_seconds={seconds}",
            headers={"Content-Length": str(size_bytes), "x-sha256": sha256},
        )

    def _get(self, uri: str) -> tuple[bytes, datetime]:
        require_object_key(uri, _key(uri))
        if uri not in self.objects:
            raise SourceNotFoundError(f"Nothing is stored at {uri}")
        return self.objects[uri]


def _key(uri: str) -> str:
    _, _, path = uri.partition("://")
    return path.partition("/")[2]


@dataclass(kw_only=True)
class InMemoryHostedSources:
    """`HostedSources` in dictionaries: URL to content, and URL to commit and files."""

    objects: dict[str, bytes] = field(default_factory=dict)
    commits: dict[str, tuple[str, list[SourceFile]]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """URL to the name of the Secret that opens it."""

    def read(
        self,
        function: FunctionId,
        uri: str,
        secret: str | None,
        target: BinaryIO,
        *,
        max_bytes: int,
    ) -> None:
        self._open(uri, secret)
        content = self._get(self.objects, uri)
        if len(content) > max_bytes:
            raise LimitExceededError(f"the source is over {max_bytes} bytes", field="source.uri")
        target.write(content)

    @contextmanager
    def checkout(self, function: FunctionId, uri: str, secret: str | None) -> Iterator[Checkout]:
        read_git_uri(uri)
        self._open(uri, secret)
        commit, files = self._get(self.commits, uri)
        yield Checkout(commit=commit, files=iter(files))

    def _open(self, uri: str, secret: str | None) -> None:
        if self.secrets.get(uri) not in {None, secret}:
            raise SourceAccessDeniedError("another Secret opens it", field="source.secretRef")

    def _get(self, known: dict[str, T], uri: str) -> T:
        if uri not in {*self.objects, *self.commits}:
            raise UnsupportedSourceError("sources may not come from there", field="source.uri")
        return known[uri]


@dataclass(kw_only=True)
class InMemorySourceSecrets:
    """`SourceSecrets` in a dictionary of namespace and name to keys and values."""

    data: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)

    def authorization(self, function: FunctionId, name: str) -> str:
        data = self.data.get((function.namespace, name))
        if data is None:
            raise SourceAccessDeniedError(
                f"there is no Secret {name} in {function.namespace}", field="source.secretRef"
            )
        values = {key: b64encode(value).decode() for key, value in data.items()}
        return authorization_of(name, values)
