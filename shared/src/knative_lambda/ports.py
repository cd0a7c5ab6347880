"""What the use cases need from the world, as Protocols.

Every method may raise `RetryableError` (the world is in trouble) or `PermanentError` (the request
itself can never work); the docstrings name only what is special. One contract test per port runs
on every adapter and on the fake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from typing import BinaryIO

    from knative_lambda.domain.storage import StoredObject


class ObjectStorage(Protocol):
    """Objects named by absolute URIs (`s3://bucket/key`, `file:///folder/key`)."""

    def describe(self, uri: str) -> StoredObject:
        """Size and time of one object; `SourceNotFoundError` where there is none."""
        ...

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """Objects below a prefix that ends in `/`, by ascending URI.

        Raises `LimitExceededError` when there are more than `limit`; an empty prefix lists nothing.
        """
        ...

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """Copy one object into `target`, return its size; `LimitExceededError` over `max_bytes`."""
        ...

    def write(self, uri: str, source: BinaryIO) -> None:
        """Store all of `source` (seekable, at its start); readers see the old object or the new, never a part."""
        ...

    def delete(self, uri: str) -> None:
        """Remove one object; one that is not there is removed already."""
        ...

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """A URL that fetches this one object without credentials until it expires."""
        ...


class Clock(Protocol):
    """The time, for rules that compare times."""

    def now(self) -> datetime:
        """Now, with a time zone."""
        ...
