"""Digests of what passes through a file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from gzip import GzipFile
    from typing import BinaryIO

_CHUNK = 1024 * 1024


class Hashing:
    """A file that counts and hashes what is read from it, or written to it."""

    def __init__(self, file: BinaryIO | GzipFile) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """At most `size` bytes, none at the end."""
        return self._seen(self._file.read(size))

    def write(self, data: bytes) -> int:
        """Write the bytes."""
        return self._file.write(self._seen(data))

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()

    def as_file(self) -> BinaryIO:
        """This, for libraries that only read, or only write and flush."""
        return cast("BinaryIO", self)

    def read_to_end(self) -> None:
        """Hash what is left."""
        while self.read():
            pass

    @property
    def digest(self) -> str:
        """The digest of everything so far."""
        return f"sha256:{self._sha256.hexdigest()}"

    def _seen(self, data: bytes) -> bytes:
        self._sha256.update(data)
        self.size += len(data)
        return data
