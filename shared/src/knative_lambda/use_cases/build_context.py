"""Turn a source into a build context: one file whose bytes depend on the source alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    UnsupportedSourceError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from knative_lambda.domain.lambda_function import Source
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import SourceSuffixes
    from knative_lambda.ports import ObjectStorage

_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextPacker:
    """Reads sources within limits, from places that the tenant may read."""

    storage: ObjectStorage
    source_prefixes: tuple[str, ...]
    source_suffixes: SourceSuffixes
    """Of objects that hold code, and no archive of it."""
    max_bytes: int
    max_files: int

    def pack(self, function: FunctionId, source: Source, target: BinaryIO) -> str:
        """Write the context to `target` and return its SHA-256.

        A single object that is not a code file is passed on unread: the build unpacks it in its
        own sandbox, or says what it is instead of an archive. Anything else becomes a .tar.gz whose
        every byte depends on paths and contents alone.
        """
        if source.inline is not None:
            files = ((path, text.encode()) for path, text in sorted(source.inline.items()))
            self._write_tar(files, target)
        else:
            self._pack_stored(function, source.uri or "", target)
        target.seek(0)
        return sha256_of(target)

    def _pack_stored(self, function: FunctionId, uri: str, target: BinaryIO) -> None:
        self._check_place(function, uri)
        if uri.endswith("/"):
            self._write_tar(self._files_below(uri), target)
        elif uri.endswith(self.source_suffixes):
            self._write_tar(self._single_file(uri), target)
        else:
            self.storage.read(uri, target, max_bytes=self.max_bytes)

    def _check_place(self, function: FunctionId, uri: str) -> None:
        allowed = [
            prefix.replace("{namespace}", function.namespace) for prefix in self.source_prefixes
        ]
        if not uri.startswith(tuple(allowed)):
            raise UnsupportedSourceError(
                f"sources of {function.namespace} may come from {', '.join(allowed)} only",
                field="source.uri",
            )

    def _single_file(self, uri: str) -> Iterator[tuple[str, bytes]]:
        yield uri.rpartition("/")[2], self._read(uri, self.max_bytes)

    def _files_below(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        left, found = self.max_bytes, False
        for stored in self.storage.list(prefix, limit=self.max_files):
            found = True
            content = self._read(stored.uri, left)
            left -= len(content)
            yield stored.uri.removeprefix(prefix), content
        if not found:
            # Without a query: people paste presigned URLs.
            shown = prefix.partition("?")[0]
            raise SourceNotFoundError(f"nothing is stored below {shown}", field="source.uri")

    def _read(self, uri: str, max_bytes: int) -> bytes:
        content = io.BytesIO()
        self.storage.read(uri, content, max_bytes=max_bytes)
        return content.getvalue()

    def _write_tar(self, files: Iterator[tuple[str, bytes]], target: BinaryIO) -> None:
        write_archive(self._within_limit(files), target)

    def _within_limit(self, files: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        left = self.max_bytes
        for path, content in files:
            left -= len(content)
            if left < 0:
                raise LimitExceededError(
                    f"the source is over {self.max_bytes} bytes", field="source"
                )
            yield path, content


def write_archive(files: Iterable[tuple[str, bytes]], target: BinaryIO) -> None:
    """Write a .tar.gz whose every byte depends on paths and contents alone."""
    # No name and no time in the gzip header, for equal bytes from equal sources.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, content in files:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def sha256_of(target: BinaryIO) -> str:
    """Return the SHA-256 of what is left to read, and go back to the beginning."""
    digest = hashlib.sha256()
    while chunk := target.read(_CHUNK):
        digest.update(chunk)
    target.seek(0)
    return digest.hexdigest()
