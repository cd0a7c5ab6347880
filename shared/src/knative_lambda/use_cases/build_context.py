"""Turn a source into a build context: one file whose bytes depend on the source alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceMismatchError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from knative_lambda.domain.hosted_source import GIT, SourceFile, is_hosted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from knative_lambda.domain.lambda_function import Source
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.storage import SourceSuffixes
    from knative_lambda.ports import HostedSources, ObjectStorage

_CHUNK = 1024 * 1024


class PackedSource(NamedTuple):
    """What identifies a context: its bytes, and the commit that it is of."""

    sha256: str
    commit: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextPacker:
    """Reads sources within limits, from places that the tenant may read."""

    storage: ObjectStorage
    hosted: HostedSources
    source_prefixes: tuple[str, ...]
    source_suffixes: SourceSuffixes
    """Of objects that hold code, and no archive of it."""
    max_bytes: int
    max_files: int

    def pack(self, function: FunctionId, source: Source, target: BinaryIO) -> PackedSource:
        """Write the context to `target`, and go back to its beginning.

        A single object that is not a code file is passed on unread: the build unpacks it in its
        own sandbox, or says what it is instead of an archive. Anything else becomes a .tar.gz whose
        every byte depends on paths and contents alone.

        `SourceMismatchError` where the bytes of an object are not those of `source.sha256`.
        """
        uri, commit = source.uri or "", None
        if source.inline is not None:
            self._write_tar(
                (SourceFile(path, text.encode()) for path, text in sorted(source.inline.items())),
                target,
            )
        elif uri.startswith(GIT):
            secret = None if source.secret_ref is None else source.secret_ref.name
            with self.hosted.checkout(function, uri, secret) as checkout:
                self._write_tar(checkout.files, target)
            commit = checkout.commit
        elif uri.endswith("/") and not is_hosted(uri):
            self._check_place(function, uri)
            self._write_tar(self._files_below(uri), target)
        else:
            self._pack_object(function, source, uri, target)
        target.seek(0)
        return PackedSource(sha256_of(target), commit)

    def _pack_object(
        self, function: FunctionId, source: Source, uri: str, target: BinaryIO
    ) -> None:
        if is_hosted(uri):
            secret = None if source.secret_ref is None else source.secret_ref.name
            self.hosted.read(function, uri, secret, target, max_bytes=self.max_bytes)
            _check_sha256(source, target)
            return
        self._check_place(function, uri)
        if not uri.endswith(self.source_suffixes):
            self.storage.read(uri, target, max_bytes=self.max_bytes)
            _check_sha256(source, target)
            return
        code = io.BytesIO()
        self.storage.read(uri, code, max_bytes=self.max_bytes)
        _check_sha256(source, code)
        self._write_tar(iter([SourceFile(uri.rpartition("/")[2], code.getvalue())]), target)

    def _check_place(self, function: FunctionId, uri: str) -> None:
        allowed = [
            prefix.replace("{namespace}", function.namespace) for prefix in self.source_prefixes
        ]
        if not uri.startswith(tuple(allowed)):
            raise UnsupportedSourceError(
                f"sources of {function.namespace} may come from {', '.join(allowed)} only",
                field="source.uri",
            )

    def _files_below(self, prefix: str) -> Iterator[SourceFile]:
        left, found = self.max_bytes, False
        for stored in self.storage.list(prefix, limit=self.max_files):
            found = True
            content = self._read(stored.uri, left)
            left -= len(content)
            yield SourceFile(stored.uri.removeprefix(prefix), content)
        if not found:
            # Without a query: people paste presigned URLs.
            shown = prefix.partition("?")[0]
            raise SourceNotFoundError(f"nothing is stored below {shown}", field="source.uri")

    def _read(self, uri: str, max_bytes: int) -> bytes:
        content = io.BytesIO()
        self.storage.read(uri, content, max_bytes=max_bytes)
        return content.getvalue()

    def _write_tar(self, files: Iterator[SourceFile], target: BinaryIO) -> None:
        write_archive(self._within_limit(files), target)

    def _within_limit(self, files: Iterator[SourceFile]) -> Iterator[SourceFile]:
        left = self.max_bytes
        for file in files:
            left -= len(file.content)
            if left < 0:
                raise LimitExceededError(
                    f"the source is over {self.max_bytes} bytes", field="source"
                )
            yield file


def write_archive(files: Iterable[SourceFile], target: BinaryIO) -> None:
    """Write a .tar.gz whose every byte depends on paths, contents and executability alone."""
    # No name and no time in the gzip header, for equal bytes from equal sources.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in files:
            entry = tarfile.TarInfo(file.path)
            entry.size = len(file.content)
            if file.is_executable:
                entry.mode |= 0o111
            tar.addfile(entry, io.BytesIO(file.content))


def _check_sha256(source: Source, target: BinaryIO) -> None:
    if source.sha256 is None:
        return
    target.seek(0)
    found = sha256_of(target)
    if found != source.sha256:
        raise SourceMismatchError(
            f"source.sha256 is not that of the bytes at source.uri, which is {found}; if they are "
            "those that you want, name it there",
            field="source.sha256",
        )


def sha256_of(target: BinaryIO) -> str:
    """Return the SHA-256 of what is left to read, and go back to the beginning."""
    digest = hashlib.sha256()
    while chunk := target.read(_CHUNK):
        digest.update(chunk)
    target.seek(0)
    return digest.hexdigest()
