"""Reads tar archives header by header from a stream.

`tarfile` holds every member and reads headers of any stated size into memory, and follows links;
this reader knows plain files and folders, long names (GNU and pax), and refuses the rest.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambda_oci.archive.limits import invalid, too_large, unsafe
from lambda_oci.archive.tar_names import NextMember
from lambda_oci.archive.tree import decode_name, shown, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_oci.archive.limits import Limits
    from lambda_oci.archive.tree import SourceTree

_BLOCK = 512
_CHUNK = 64 * 1024
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_MAX_EXTENSION_BYTES = 1024 * 1024
# A member may be preceded by a pax and a GNU header.
_HEADERS_PER_ENTRY = 3
_FILE, _FOLDER = {b"0", b"\0", b"7"}, b"5"
_EXTENSIONS = {b"x", b"g", b"L", b"X"}
_KINDS = {
    b"1": "a hard link (tar has --hard-dereference)",
    b"2": "a symbolic link (tar has --dereference)",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"K": "a link",
    b"S": "a sparse file (make the archive without --sparse)",
}
_EXECUTABLE = 0o100


class Stream(Protocol):
    """Bytes that are read once, front to back."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    name: bytes
    mode: int
    size: int
    kind: bytes


def unpack_tar(stream: Stream, tree: SourceTree, limits: Limits) -> None:
    """Write every member to the tree."""
    overrides = NextMember()
    headers = 0
    while header := _next_header(stream):
        if (headers := headers + 1) > limits.max_entries * _HEADERS_PER_ENTRY:
            raise too_many(limits)
        if header.kind in _EXTENSIONS:
            overrides.learn(header.kind, _extension(stream, header))
            continue
        _add(stream, header, overrides, tree)
        overrides = NextMember()


def is_tar_header(block: bytes) -> bool:
    """Whether a file that starts with this block is a tar archive."""
    return len(block) == _BLOCK and any(block) and _checksum_fits(block)


def _add(stream: Stream, header: _Header, overrides: NextMember, tree: SourceTree) -> None:
    name = decode_name(header.name if overrides.name is None else overrides.name)
    size = header.size if overrides.bytes is None else overrides.bytes
    if header.kind == _FOLDER:
        tree.add_folder(name)
    elif header.kind in _FILE and name.endswith("/"):
        # Archives from before 1988 mark folders by their names.
        tree.add_folder(name)
    elif header.kind in _FILE:
        tree.reserve(size)
        tree.add_file(
            name, _content(stream, size, name), executable=bool(header.mode & _EXECUTABLE)
        )
    else:
        kind = _KINDS.get(header.kind, f"of the unknown type {shown(header.kind)}")
        raise unsafe(f"{shown(name)} is {kind}; only files and folders are unpacked")


def _content(stream: Stream, size: int, name: str) -> Iterator[bytes]:
    left = size
    while left > 0:
        if not (chunk := stream.read(min(_CHUNK, left))):
            raise invalid(f"{shown(name)} is cut off: the archive ends inside it")
        left -= len(chunk)
        yield chunk
    _skip_padding(stream, size)


def _extension(stream: Stream, header: _Header) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise too_large("a header of the .tar is too large; leave extended attributes out")
    content = stream.read(header.size)
    if len(content) < header.size:
        raise invalid("the .tar is cut off inside a header")
    _skip_padding(stream, header.size)
    return content


def _skip_padding(stream: Stream, size: int) -> None:
    padding = -size % _BLOCK
    if len(stream.read(padding)) < padding:
        raise invalid("the .tar is cut off before its end")


def _next_header(stream: Stream) -> _Header | None:
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise invalid("the .tar is cut off before its end")
    if not any(block):
        return None
    if not _checksum_fits(block):
        raise invalid("the .tar is damaged: the checksum of a header is wrong")
    fields = _HEADER.unpack(block)
    name, prefix = fields[0].split(b"\0", 1)[0], fields[15].split(b"\0", 1)[0]
    # GNU tar keeps times, not a prefix, in these bytes; its magic ends in a blank.
    if prefix and fields[9] == b"ustar\0":
        name = prefix + b"/" + name
    try:
        mode, size = _number(fields[1]), _number(fields[4])
    except ValueError:
        raise invalid("the .tar is damaged: a mode or size is not a number") from None
    return _Header(name=name, mode=mode, size=size, kind=fields[7])


def _checksum_fits(block: bytes) -> bool:
    try:
        stated = _number(block[148:156])
    except ValueError:
        return False
    unsigned = 256 + sum(block[:148]) + sum(block[156:])
    signed = unsigned - 256 * sum(byte > 127 for byte in block[:148] + block[156:])  # noqa: PLR2004 - the sign bit
    return stated in {unsigned, signed}


def _number(field: bytes) -> int:
    """Octal text, or base 256 where the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:])
    return int(field.split(b"\0", 1)[0].strip() or b"0", 8)
