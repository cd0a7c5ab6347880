"""Reads zip archives by their central directory, one entry at a time.

`zipfile` reads the whole directory into memory before anyone can count it, and trusts the sizes
that an archive states; this reader does neither.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_oci.archive.limits import invalid, too_large, too_many, unsafe
from lambda_oci.archive.names import decode_name, shown
from lambda_oci.archive.zip_directory import Directory, find_directory, zip64_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits
    from lambda_oci.archive.tree import SourceTree

_CHUNK = 64 * 1024
_ENTRY = struct.Struct("<4s2B5H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1 | 0x40 | 0x2000
# Made on Unix or macOS: the upper half of the attributes is a file mode.
_UNIX_SYSTEMS = {3, 19}
_DOS_FOLDER = 0x10


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """One entry of the central directory."""

    raw_name: bytes
    name: str
    method: int
    crc: int
    packed_bytes: int
    bytes: int
    offset: int
    mode: int
    is_folder: bool


def unpack_zip(stream: BinaryIO, tree: SourceTree, limits: Limits) -> None:
    """Add every entry to the tree."""
    directory = find_directory(stream)
    # Zip64 may state any count; what is really there is counted as it is read, too.
    if directory.count > limits.max_entries:
        raise too_many(limits)
    entries = list(_entries(stream, directory, limits))
    _check_sizes(entries, directory, tree)
    for entry in entries:
        if entry.is_folder:
            tree.add_folder(entry.name)
        else:
            chunks = _content(stream, entry, directory)
            tree.add_file(entry.name, chunks, executable=bool(entry.mode & stat.S_IXUSR))


def _entries(stream: BinaryIO, directory: Directory, limits: Limits) -> Iterator[ZipEntry]:
    stream.seek(directory.start)
    left, count = directory.bytes, 0
    while left > 0:
        header = stream.read(_ENTRY.size)
        if len(header) < _ENTRY.size or not header.startswith(b"PK\x01\x02"):
            raise invalid("the .zip is damaged: its list of files cannot be read")
        fields = _ENTRY.unpack(header)
        name_bytes, extra_bytes, comment_bytes = fields[11:14]
        if name_bytes > limits.max_path_bytes:
            raise too_large(f"a path in the archive is over {limits.max_path_bytes} bytes")
        variable = stream.read(name_bytes + extra_bytes + comment_bytes)
        left -= len(header) + len(variable)
        if len(variable) < name_bytes + extra_bytes + comment_bytes or left < 0:
            raise invalid("the .zip is damaged: its list of files is cut off")
        if (count := count + 1) > limits.max_entries:
            raise too_many(limits)
        yield _entry(fields, variable[:name_bytes], variable[name_bytes : name_bytes + extra_bytes])
    if count != directory.count:
        raise invalid(f"the .zip is damaged: it states {directory.count} entries and has {count}")


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> ZipEntry:
    name = decode_name(raw_name)
    system, flags, method, attributes = fields[2], fields[4], fields[5], fields[16]
    if flags & _ENCRYPTED:
        raise invalid(f"{shown(name)} is encrypted; send the archive without a password")
    if method not in {_STORED, _DEFLATED}:
        raise invalid(
            f"{shown(name)} is packed by method {method}; only stored and deflated are read"
        )
    mode = attributes >> 16 if system in _UNIX_SYSTEMS else 0
    kind = stat.S_IFMT(mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise unsafe(f"{shown(name)} is a link or a device; only files and folders are unpacked")
    size, packed, offset = zip64_sizes(extra, size=fields[10], packed=fields[9], offset=fields[17])
    return ZipEntry(
        raw_name=raw_name,
        name=name,
        method=method,
        crc=fields[8],
        packed_bytes=packed,
        bytes=size,
        offset=offset,
        mode=mode,
        is_folder=name.endswith("/") or kind == stat.S_IFDIR or _is_dos_folder(system, attributes),
    )


def _is_dos_folder(system: int, attributes: int) -> bool:
    return system not in _UNIX_SYSTEMS and bool(attributes & _DOS_FOLDER)


def _check_sizes(entries: list[ZipEntry], directory: Directory, tree: SourceTree) -> None:
    tree.reserve(sum(entry.bytes for entry in entries))
    if sum(entry.packed_bytes for entry in entries) > directory.start:
        raise unsafe("entries of the .zip overlap each other")


def _content(stream: BinaryIO, entry: ZipEntry, directory: Directory) -> Iterator[bytes]:
    """The entry's bytes, never more than it states."""
    stream.seek(directory.shift + entry.offset)
    local = stream.read(_LOCAL.size)
    if len(local) < _LOCAL.size or not local.startswith(b"PK\x03\x04"):
        raise invalid(f"{shown(entry.name)} is not where the .zip says it is")
    *_, name_bytes, extra_bytes = _LOCAL.unpack(local)
    if stream.read(name_bytes) != entry.raw_name:
        raise unsafe(f"{shown(entry.name)} has two different names in the .zip")
    stream.seek(extra_bytes, 1)
    crc, size = 0, 0
    for chunk in _inflated(stream, entry):
        crc = zlib.crc32(chunk, crc)
        if (size := size + len(chunk)) > entry.bytes:
            raise unsafe(f"{shown(entry.name)} is larger than the .zip states")
        yield chunk
    if size != entry.bytes or crc != entry.crc:
        raise invalid(
            f"{shown(entry.name)} is damaged: size or checksum differ from what the .zip states"
        )


def _inflated(stream: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    left = entry.packed_bytes
    while left > 0:
        if not (packed := stream.read(min(_CHUNK, left))):
            raise invalid(f"{shown(entry.name)} is cut off")
        left -= len(packed)
        if inflater is None:
            yield packed
            continue
        try:
            while packed and not inflater.eof:
                yield inflater.decompress(packed, _CHUNK)
                packed = inflater.unconsumed_tail
        except zlib.error:
            raise invalid(f"{shown(entry.name)} is damaged: it cannot be decompressed") from None
    if inflater is not None:
        yield inflater.flush()
        if not inflater.eof:
            raise invalid(f"{shown(entry.name)} is cut off")
