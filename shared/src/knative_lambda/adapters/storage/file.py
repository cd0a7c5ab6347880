"""Objects as files below a few allowed folders: `file:///folder/key`."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from errno import EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EXDEV
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Final

from knative_lambda.domain.errors import (
    RejectedByPlatformError,
    SourceNotFoundError,
    StorageUnavailableError,
    UnsupportedSourceError,
)
from knative_lambda.domain.storage import SignedPut, StoredObject, Upload

from .copying import CHUNK_BYTES, copy_limited, require_size
from .uri import more_than, require_object_key, require_prefix, shown

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import timedelta
    from typing import BinaryIO

_INCOMING: Final = ".kn-lambda-incoming-"
_FILE_URI: Final = re.compile(r"file:///", re.IGNORECASE)
_NOTHING_THERE: Final = frozenset({ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG})
_IMPOSSIBLE_KEY: Final = frozenset({ENOTDIR, EISDIR, ENOTEMPTY, ENAMETOOLONG, ELOOP, EXDEV})
_WRITE_ATTEMPTS: Final = 5


class FileStorage:
    """`ObjectStorage` on a file system; nothing outside `roots` is read, written or shown."""

    def __init__(self, *, roots: Sequence[Path]) -> None:
        if not all(root.is_absolute() for root in roots):
            raise ValueError("roots: every folder must be an absolute path")
        self._roots = tuple(Path(os.path.realpath(root)) for root in roots)

    def describe(self, uri: str) -> StoredObject:
        """Size and time of one file; `SourceNotFoundError` where there is none."""
        path = self._path_to_read(uri)
        with _read_errors(uri):
            return _stored_object(uri, path.stat())

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """Yield files below a folder, by ascending URI; links cannot lead outside the roots."""
        require_prefix(prefix, _key(prefix))
        folder = self._confined(prefix, Path(os.path.realpath(_path(prefix))))
        names: list[str] = []
        with _read_errors(prefix):
            for name in _relative_names(folder):
                if len(names) == limit:
                    raise more_than(limit, prefix)
                names.append(name)
        for name in sorted(names):
            try:
                found = self.describe(prefix + name)
            except SourceNotFoundError:
                if os.path.lexists(folder / name):
                    raise
                continue  # deleted since it was listed
            yield found

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """Copy one file into `target`; a larger one is rejected before it is read."""
        path = self._path_to_read(uri)
        with ExitStack() as opened:
            with _read_errors(uri):
                # pathlib's open() takes no opener.
                file = opened.enter_context(open(path, "rb", opener=_open_unlinked))
                size_bytes = _stored_object(uri, os.fstat(file.fileno())).size_bytes
            require_size(size_bytes, max_bytes=max_bytes, uri=uri)
            return copy_limited(_chunks(file, uri), target, max_bytes=max_bytes, uri=uri)

    def write(self, uri: str, source: BinaryIO) -> None:
        """Store all of `source` on disk, under its name only when it is complete."""
        path = self._path_to_change(uri)
        with _write_errors(uri):
            incoming = _incoming_for(path)
            try:
                with incoming.open("wb") as file:
                    copyfileobj(source, file, CHUNK_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                incoming.replace(path)
            finally:
                incoming.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def delete(self, uri: str) -> None:
        """Remove one file, and the folders that it leaves empty, as object storage has none."""
        path = self._path_to_change(uri)
        try:
            with _read_errors(uri):
                path.unlink()
        except SourceNotFoundError:
            return
        for folder in path.parents:
            if folder in self._roots:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:  # noqa: ARG002 - files do not expire
        """Return the file's own URL, percent-encoded, for programs on this machine."""
        return self._path_to_change(uri).as_uri()

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:  # noqa: ARG002 - as above
        """Return the file's own URL; whoever writes there bounds the size, and renames at last."""
        return Upload(url=self._path_to_change(uri).as_uri())

    def signed_put(
        self,
        uri: str,
        *,
        expires_in: timedelta,  # noqa: ARG002 - as below
        size_bytes: int,  # noqa: ARG002 - as below
        sha256: str,  # noqa: ARG002 - nobody signs for a file system
    ) -> SignedPut | None:
        """Return None: a file system holds nobody to anything."""
        self._path_to_change(uri)
        return None

    def _path_to_read(self, uri: str) -> Path:
        require_object_key(uri, _key(uri))
        return self._confined(uri, Path(os.path.realpath(_path(uri))))

    def _path_to_change(self, uri: str) -> Path:
        """Resolve the folder alone: a link at the end is replaced, never followed."""
        require_object_key(uri, _key(uri))
        path = _path(uri)
        return self._confined(uri, Path(os.path.realpath(path.parent)) / path.name)

    def _confined(self, uri: str, path: Path) -> Path:
        if any(path.is_relative_to(root) for root in self._roots):
            return path
        allowed = ", ".join(f"file://{root}/" for root in self._roots) or "none"
        raise UnsupportedSourceError(
            f"{shown(uri)} is outside of the allowed folders: use one below {shown(allowed)}",
        )


def _key(uri: str) -> str:
    match = _FILE_URI.match(uri)
    if match is None:
        raise UnsupportedSourceError(f"{shown(uri)} must have the form file:///folder/key")
    key = uri[match.end() :]
    if "" in key.removesuffix("/").split("/") and key:
        raise UnsupportedSourceError(f"The path of {shown(uri)} has an empty segment '//'")
    return key


def _path(uri: str) -> Path:
    return Path("/" + _key(uri))


def _stored_object(uri: str, status: os.stat_result) -> StoredObject:
    if not stat.S_ISREG(status.st_mode):
        raise SourceNotFoundError(f"{shown(uri)} is not a file; the URI of a folder ends in '/'")
    modified_at = datetime.fromtimestamp(status.st_mtime, tz=UTC)
    return StoredObject(uri=uri, size_bytes=status.st_size, modified_at=modified_at)


def _relative_names(folder: Path) -> Iterator[str]:
    for current, folders, files in os.walk(folder, onerror=_raise_unless_gone):
        # A linked folder is listed as an object that cannot be read: left out, its files would be
        # missing in silence.
        linked = [name for name in folders if (Path(current) / name).is_symlink()]
        for name in [*files, *linked]:
            if not name.startswith(_INCOMING):
                yield (Path(current) / name).relative_to(folder).as_posix()


def _raise_unless_gone(error: OSError) -> None:
    if error.errno not in _NOTHING_THERE:
        raise error


def _open_unlinked(path: str, flags: int) -> int:
    # The path has no links left; one that appears now is an attempt to get out.
    # O_NONBLOCK: a named pipe must not hold the caller.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _chunks(file: BinaryIO, uri: str) -> Iterator[bytes]:
    while True:
        with _read_errors(uri):
            chunk = file.read(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def _incoming_for(path: Path) -> Path:
    for _ in range(_WRITE_ATTEMPTS - 1):
        # Whoever deletes the last object of a folder takes the folder along, perhaps right now.
        with suppress(FileNotFoundError):
            return _make_incoming(path)
    return _make_incoming(path)


def _make_incoming(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_INCOMING, dir=path.parent)
    os.close(descriptor)
    return Path(name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _read_errors(uri: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            raise SourceNotFoundError(f"Nothing is stored at {shown(uri)}") from error
        raise _unavailable(uri, error) from error


@contextmanager
def _write_errors(uri: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _IMPOSSIBLE_KEY or isinstance(error, FileExistsError):
            raise RejectedByPlatformError(
                f"{shown(uri)} cannot be stored: its name is too long, or is a file and a folder",
            ) from error
        raise _unavailable(uri, error) from error


def _unavailable(uri: str, error: OSError) -> StorageUnavailableError:
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return StorageUnavailableError(f"The file system rejects {shown(uri)}: {reason}")
