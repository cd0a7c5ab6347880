"""Object storage chosen by the URI's scheme."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import UnsupportedSourceError

from .uri import scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta
    from typing import BinaryIO

    from knative_lambda.domain.storage import SignedPut, StoredObject, Upload
    from knative_lambda.ports import ObjectStorage


class SchemeStorage:
    """`ObjectStorage` by a table of scheme to opener; each is opened once, by its first URI."""

    def __init__(self, openers: Mapping[str, Callable[[], ObjectStorage]]) -> None:
        self._openers = dict(openers)
        self._opened: dict[str, ObjectStorage] = {}
        self._lock = threading.Lock()

    def describe(self, uri: str) -> StoredObject:
        """Size and time of one object; `SourceNotFoundError` where there is none."""
        return self._storage(uri).describe(uri)

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """Objects below a prefix, by ascending URI."""
        return self._storage(prefix).list(prefix, limit=limit)

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """Copy one object into `target`, return its size."""
        return self._storage(uri).read(uri, target, max_bytes=max_bytes)

    def write(self, uri: str, source: BinaryIO) -> None:
        """Store all of `source` at once or not at all."""
        self._storage(uri).write(uri, source)

    def delete(self, uri: str) -> None:
        """Remove one object; one that is not there is removed already."""
        self._storage(uri).delete(uri)

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """A URL that fetches this one object without credentials until it expires."""
        return self._storage(uri).download_url(uri, expires_in=expires_in)

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:
        """How to write this one object without credentials until it expires."""
        return self._storage(uri).upload_url(uri, expires_in=expires_in, max_bytes=max_bytes)

    def signed_put(
        self, uri: str, *, expires_in: timedelta, size_bytes: int, sha256: str
    ) -> SignedPut | None:
        """How to store this very content without credentials until it expires."""
        return self._storage(uri).signed_put(
            uri, expires_in=expires_in, size_bytes=size_bytes, sha256=sha256
        )

    def _storage(self, uri: str) -> ObjectStorage:
        scheme = scheme_of(uri)
        if scheme not in self._openers:
            known = ", ".join(f"{name}://" for name in sorted(self._openers)) or "none"
            found = f"the scheme '{scheme}'" if scheme else "a URI without scheme"
            raise UnsupportedSourceError(f"No storage for {found}: this installation takes {known}")
        with self._lock:
            if scheme not in self._opened:
                self._opened[scheme] = self._openers[scheme]()
            return self._opened[scheme]
