"""The members of a tar archive, header by header from a stream.

`tarfile` holds every member and reads headers of any stated size into memory; this reader holds
one. It knows long names and links (GNU and pax), and leaves to its caller what is taken.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambda_oci.archive.limits import invalid, too_large, too_many
from lambda_oci.archive.names import shown
from lambda_oci.archive.tar_names import NextMember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_oci.archive.limits import Limits
    from lambda_oci.errors import ContentError

_BLOCK = 512
_CHUNK = 64 * 1024
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_MAX_EXTENSION_BYTES = 1024 * 1024
# A member may be preceded by a pax header and GNU headers.
_HEADERS_PER_ENTRY = 4
# Some headers are larger (extended attributes), and most members have none.
_EXTENSION_BYTES_PER_ENTRY = 1024
_EXTENSIONS = {b"x", b"g", b"L", b"K", b"X"}
FILE, FOLDER, LINK = frozenset({b"0", b"\0", b"7"}), b"5", b"2"


class Stream(Protocol):
    """Bytes that are read once, front to back."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What one header says; its names are bytes that nobody has checked."""

    name: bytes
    link: bytes
    mode: int
    size: int
    kind: bytes


def read_members(stream: Stream, limits: Limits) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield every member with its content, which is skipped as far as the caller leaves it."""
    overrides = NextMember()
    headers = 0
    # They count as no member's content, and reading them takes longer than inflating them.
    extensions_left = _MAX_EXTENSION_BYTES + limits.max_entries * _EXTENSION_BYTES_PER_ENTRY
    while header := _next_header(stream):
        if (headers := headers + 1) > limits.max_entries * _HEADERS_PER_ENTRY:
            raise too_many(limits)
        if header.kind in _EXTENSIONS:
            if (extensions_left := extensions_left - header.size) < 0:
                raise _extensions_too_large()
            overrides.learn(header.kind, _extension(stream, header))
            continue
        member = _overridden(header, overrides)
        content = _content(stream, member)
        yield member, content
        for _ in content:
            pass
        overrides = NextMember()


def is_tar_header(block: bytes) -> bool:
    """Whether a file that starts with this block is a tar archive."""
    return len(block) == _BLOCK and any(block) and _checksum_fits(block)


def _overridden(header: Member, overrides: NextMember) -> Member:
    return Member(
        name=header.name if overrides.name is None else overrides.name,
        link=header.link if overrides.link is None else overrides.link,
        mode=header.mode,
        size=header.size if overrides.bytes is None else overrides.bytes,
        kind=header.kind,
    )


def _content(stream: Stream, member: Member) -> Iterator[bytes]:
    # Old archives state sizes of folders and links, which have no content.
    size = member.size if member.kind in FILE and not member.name.endswith(b"/") else 0
    left = size
    while left > 0:
        if not (chunk := stream.read(min(_CHUNK, left))):
            raise invalid(f"{shown(member.name)} is cut off: the archive ends inside it")
        left -= len(chunk)
        yield chunk
    _skip_padding(stream, size)


def _extension(stream: Stream, header: Member) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise _extensions_too_large()
    content = stream.read(header.size)
    if len(content) < header.size:
        raise invalid("the .tar is cut off inside a header")
    _skip_padding(stream, header.size)
    return content


def _extensions_too_large() -> ContentError:
    return too_large("headers of the .tar are too large; leave extended attributes out")


def _skip_padding(stream: Stream, size: int) -> None:
    padding = -size % _BLOCK
    if len(stream.read(padding)) < padding:
        raise invalid("the .tar is cut off before its end")


def _next_header(stream: Stream) -> Member | None:
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
    link = fields[8].split(b"\0", 1)[0]
    return Member(name=name, link=link, mode=mode, size=size, kind=fields[7])


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
