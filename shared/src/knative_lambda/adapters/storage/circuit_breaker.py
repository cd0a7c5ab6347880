"""Object storage that is left alone while it is in trouble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import StorageUnavailableError

from .errors import StorageAccessDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from typing import BinaryIO

    from knative_lambda.domain.storage import StoredObject
    from knative_lambda.ports import ObjectStorage

    from .circuit import Circuit


def is_outage(error: BaseException) -> bool:
    """Tell trouble of the storage from an answer of the storage.

    A refused right is an answer: else one tenant's closed bucket would stop all the others.
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
        """As the storage within."""
        with self.circuit.call():
            return self.storage.describe(uri)

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """As the storage within; a failure in the middle counts too."""
        with self.circuit.call():
            objects = iter(self.storage.list(prefix, limit=limit))
            following = next(objects, None)
        while following is not None:
            yield following
            with self.circuit.continuation():
                following = next(objects, None)

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """As the storage within."""
        with self.circuit.call():
            return self.storage.read(uri, target, max_bytes=max_bytes)

    def write(self, uri: str, source: BinaryIO) -> None:
        """As the storage within."""
        with self.circuit.call():
            self.storage.write(uri, source)

    def delete(self, uri: str) -> None:
        """As the storage within."""
        with self.circuit.call():
            self.storage.delete(uri)

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """As the storage within; passes always, for it is computed here and proves nothing."""
        return self.storage.download_url(uri, expires_in=expires_in)
