"""Where the central directory of a zip archive is, also in archives over 4 GiB (zip64)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_oci.archive.limits import invalid

if TYPE_CHECKING:
    from typing import BinaryIO

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_MAX_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_ZIP64_EXTRA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """The central directory's place; `shift` is the length of what precedes the archive."""

    start: int
    bytes: int
    count: int
    shift: int


def find_directory(stream: BinaryIO) -> Directory:
    """Read the record at the archive's end; `InvalidArchive` where it is missing."""
    archive_bytes = stream.seek(0, os.SEEK_END)
    tail_start = max(0, archive_bytes - _END.size - _MAX_COMMENT)
    stream.seek(tail_start)
    tail = stream.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise invalid("the .zip is cut off: the end of its list of files is missing")
    fields = _END.unpack_from(tail, found)
    end = tail_start + found
    count, size, offset = fields[4], fields[5], fields[6]
    disks = fields[1], fields[2]
    locator = end - _END64_LOCATOR.size
    if locator >= 0 and _read(stream, locator, 4) == b"PK\x06\x07":
        end, count, size, offset = _zip64_end(stream, locator)
    elif disks != (0, 0):
        raise invalid("the .zip is one part of several; send it in one piece")
    start = end - size
    if start < 0 or offset > start:
        raise invalid("the .zip is damaged: its list of files is not where it says")
    return Directory(start=start, bytes=size, count=count, shift=start - offset)


def _zip64_end(stream: BinaryIO, locator: int) -> tuple[int, int, int, int]:
    # Nothing may stand between the record and its locator, so that there is one place to look.
    end = locator - _END64.size
    record = _read(stream, end, _END64.size) if end >= 0 else b""
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        raise invalid("the .zip is damaged: its zip64 record is missing")
    fields = _END64.unpack(record)
    return end, fields[7], fields[8], fields[9]


def zip64_sizes(extra: bytes, *, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Size, packed size and offset of an entry, from its zip64 field where they are too large."""
    values = [size, packed, offset]
    wide = [index for index, value in enumerate(values) if value == _IN_ZIP64]
    if not wide:
        return size, packed, offset
    field = _zip64_field(extra)
    if len(field) < 8 * len(wide):
        raise invalid("the .zip is damaged: a zip64 size is missing")
    for index, (value,) in zip(wide, struct.iter_unpack("<Q", field[: 8 * len(wide)]), strict=True):
        values[index] = value
    return values[0], values[1], values[2]


def _zip64_field(extra: bytes) -> bytes:
    position = 0
    while position + 4 <= len(extra):
        identifier, length = struct.unpack_from("<HH", extra, position)
        if identifier == _ZIP64_EXTRA:
            return extra[position + 4 : position + 4 + length]
        position += 4 + length
    return b""


def _read(stream: BinaryIO, position: int, size: int) -> bytes:
    stream.seek(position)
    return stream.read(size)
