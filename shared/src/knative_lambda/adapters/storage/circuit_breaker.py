"""Object storage that gets no requests while it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import StorageUnavailableError

from .errors import StorageAccessDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from typing import BinaryIO

    from knative_lambda.domain.storage import SignedPut, StoredObject, Upload
    from knative_lambda.ports import ObjectStorage

    from .circuit import Circuit


def is_outage(error: BaseException) -> bool:
    """Tell an outage from an error that storage reports of itself.

    A denied access is no outage: else one tenant's closed bucket would stop all the others.
    """
    return isinstance(error, StorageUnavailableError) and not isinstance(
        error,
        StorageAccessDeniedError,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitBreakerStorage:
    """`ObjectStorage` around another one; `ThrottledError` while the circuit is open."""

    storage: ObjectStorage
    circuit: Circuit

    def describe(self, uri: str) -> StoredObject:
        """As the wrapped storage."""
        with self.circuit.call():
            return self.storage.describe(uri)

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """As the wrapped storage; a failure in the middle counts too."""
        with self.circuit.call():
            objects = iter(self.storage.list(prefix, limit=limit))
            stored = next(objects, None)
        while stored is not None:
            yield stored
            with self.circuit.continuation():
                stored = next(objects, None)

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """As the wrapped storage."""
        with self.circuit.call():
            return self.storage.read(uri, target, max_bytes=max_bytes)

    def write(self, uri: str, source: BinaryIO) -> None:
        """As the wrapped storage."""
        with self.circuit.call():
            self.storage.write(uri, source)

    def delete(self, uri: str) -> None:
        """As the wrapped storage."""
        with self.circuit.call():
            self.storage.delete(uri)

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """As the wrapped storage; always allowed, since no request is made."""
        return self.storage.download_url(uri, expires_in=expires_in)

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:
        """As the wrapped storage; always allowed, since no request is made."""
        return self.storage.upload_url(uri, expires_in=expires_in, max_bytes=max_bytes)

    def signed_put(
        self, uri: str, *, expires_in: timedelta, size_bytes: int, sha256: str
    ) -> SignedPut | None:
        """As the wrapped storage; always allowed, since no request is made."""
        return self.storage.signed_put(
            uri, expires_in=expires_in, size_bytes=size_bytes, sha256=sha256
        )
