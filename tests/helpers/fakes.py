"""One in-memory class per port; the contract tests prove that each keeps its port's contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from knative_lambda.adapters.storage.copying import copy_limited
from knative_lambda.adapters.storage.uri import more_than, require_object_key, require_prefix
from knative_lambda.domain.errors import SourceNotFoundError
from knative_lambda.domain.storage import StoredObject, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from typing import BinaryIO


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

    def _get(self, uri: str) -> tuple[bytes, datetime]:
        require_object_key(uri, _key(uri))
        if uri not in self.objects:
            raise SourceNotFoundError(f"Nothing is stored at {uri}")
        return self.objects[uri]


def _key(uri: str) -> str:
    _, _, path = uri.partition("://")
    return path.partition("/")[2]
