"""Reads a few files of a source package's archive: in bounded memory, and not for ever.

`tarfile` and `zipfile` take headers and lists of files of any stated size into memory, and a
thousandth of that is left of them when they are compressed.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE_BYTES = 1024 * 1024
_MAX_MEMBERS = 100_000
_MAX_UNPACKED_BYTES = 2 * 1024**3
_BLOCK = 512
_CHUNK = 1024 * 1024
# Of one header, and of all.
_HEADER_BYTES, _HEADERS_BYTES = 1024 * 1024, 32 * 1024 * 1024
_XZ_MEMORY_BYTES = 128 * 1024 * 1024
_LONG_NAME, _PAX = tarfile.GNUTYPE_LONGNAME, {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
_SKIPPED = {tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE}
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
_END, _END_LOCATOR64, _END64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_END_BYTES, _LOCATOR64_BYTES, _END64_BYTES, _REMARK_BYTES = 22, 20, 56, 65535
_DIRECTORY_BYTES = 32 * 1024 * 1024


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_files(place: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    """The beginnings of files by the names that `wanted` has for their paths below the top folder.

    `ValueError` or an error of `tarfile` or `zipfile` for what is no such archive.
    """
    return (_of_zip if place.suffix == ".zip" else _of_tar)(place, wanted)


def check_directory(place: Path) -> None:
    """`ValueError` where the list of a zip's files is larger than a package's can be."""
    with place.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(-min(length, _END_BYTES + _REMARK_BYTES + _LOCATOR64_BYTES + _END64_BYTES), 2)
        tail = file.read()
    last = tail[-_END_BYTES:]
    is_last = last.startswith(_END) and last.endswith(b"\0\0")
    end = len(tail) - _END_BYTES if is_last else tail.rfind(_END)
    if end < 0 or end + _END_BYTES > len(tail):
        return
    size = struct.unpack_from("<L", tail, end + 12)[0]
    start64 = end - _LOCATOR64_BYTES - _END64_BYTES
    is_64 = tail[max(0, end - _LOCATOR64_BYTES) : end].startswith(_END_LOCATOR64)
    if is_64 and start64 >= 0 and tail.startswith(_END64, start64):
        size = struct.unpack_from("<Q", tail, start64 + 40)[0]
    if size > _DIRECTORY_BYTES:
        raise ValueError("its list of files is too large")


def _of_zip(place: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    check_directory(place)
    found = {}
    with zipfile.ZipFile(place) as archive:
        for member in archive.infolist()[:_MAX_MEMBERS]:
            if name := wanted.get(member.filename.partition("/")[2]):
                with archive.open(member) as file:
                    found[name] = file.read(_FILE_BYTES)
    return found


def _of_tar(place: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with place.open("rb") as file, _unpacked(file) as stream:
        for path, content in _Members(stream).files():
            if name := wanted.get(path.removeprefix("./").partition("/")[2]):
                found[name] = content()
            if len(found) == len(wanted):
                break
    return found


class _Members:
    """The files of a tar, header by header."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._left = _MAX_UNPACKED_BYTES
        self._headers_left = _HEADERS_BYTES
        self._content_left = 0

    def files(self) -> Iterator[tuple[str, _Content]]:
        """Yield each path, and what reads the beginning of that file as long as it is the last."""
        name: str | None = None
        size: int | None = None
        for number in range(_MAX_MEMBERS):
            block = self._read(_BLOCK)
            if number == 0 and len(block) < _BLOCK:
                raise ValueError("it is no archive")
            if len(block) < _BLOCK or not any(block):
                break
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if entry.type == _LONG_NAME:
                name = _text(self._header(entry.size).split(b"\0", 1)[0])
            elif entry.type in _PAX:
                records = _records(self._header(entry.size))
                name = _text(records[b"path"]) if b"path" in records else name
                size = int(records[b"size"]) if b"size" in records else size
            elif entry.type in _SKIPPED:
                self._skip(entry.size)
            elif entry.type == tarfile.GNUTYPE_SPARSE:
                raise ValueError("it has a sparse file")
            else:
                yield from self._entry(entry, entry.name if name is None else name, size)
                name = size = None

    def _entry(
        self, entry: tarfile.TarInfo, name: str, size: int | None
    ) -> Iterator[tuple[str, _Content]]:
        has_content = entry.type in _FILES or entry.type not in tarfile.SUPPORTED_TYPES
        length = (entry.size if size is None else size) if has_content else 0
        content = _Content(self, length)
        if entry.type in _FILES:
            yield name, content
        self._skip(length, read=content.read)

    def read_beginning(self, size: int) -> bytes:
        """At most so much of the content that comes next."""
        return self._read(min(size, _FILE_BYTES))

    def _header(self, size: int) -> bytes:
        self._headers_left -= size
        if not 0 <= size <= _HEADER_BYTES or self._headers_left < 0:
            raise ValueError("a header of its archive is too large")
        content = self._read(size)
        self._read(-size % _BLOCK)
        return content

    def _skip(self, size: int, *, read: int = 0) -> None:
        if size < 0:
            raise ValueError("a size in its archive is no number")
        left = size - read + -size % _BLOCK
        while left > 0 and (chunk := self._read(min(left, _CHUNK))):
            left -= len(chunk)

    def _read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {_MAX_UNPACKED_BYTES // 1024**3} GiB")
        return self._stream.read(size)


class _Content:
    def __init__(self, members: _Members, size: int) -> None:
        self._members = members
        self._size = size
        self.read = 0

    def __call__(self) -> bytes:
        content = self._members.read_beginning(max(0, self._size))
        self.read = len(content)
        return content


@contextmanager
def _unpacked(file: IO[bytes]) -> Iterator[_Stream]:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=file) as stream:
            yield stream
    elif start.startswith(b"BZh"):
        with bz2.BZ2File(file) as stream:
            yield cast("_Stream", stream)
    elif start.startswith(b"\xfd7zXZ\0"):
        yield _Xz(file)
    else:
        yield file


class _Xz:
    """`lzma.LZMAFile` takes as much memory as the file says that it needs."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflater = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)

    def read(self, size: int, /) -> bytes:
        parts: list[bytes] = []
        while size > 0 and not self._inflater.eof:
            packed = self._file.read(_CHUNK) if self._inflater.needs_input else b""
            if self._inflater.needs_input and not packed:
                break
            parts.append(self._inflater.decompress(packed, size))
            size -= len(parts[-1])
        return b"".join(parts)


def _records(content: bytes) -> dict[bytes, bytes]:
    records, position = {}, 0
    while position < len(content) and content[position]:
        length = content[position : position + 20].partition(b" ")[0]
        end = position + int(length)
        key, _, value = content[position + len(length) + 1 : end - 1].partition(b"=")
        if end <= position or key.startswith(b"GNU.sparse"):
            raise ValueError("a header of its archive cannot be read")
        records[key] = value
        position = end
    return records


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
