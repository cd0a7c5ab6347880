"""Archives as attackers make them: headers are written by hand, so that any lie can be told."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zlib
from dataclasses import dataclass

DEFLATED, STORED = 8, 0


@dataclass(frozen=True, kw_only=True)
class ZipMember:
    name: bytes
    content: bytes = b"x"
    mode: int = stat.S_IFREG | 0o644
    method: int = DEFLATED
    flags: int = 0
    stated_size: int | None = None
    local_name: bytes | None = None
    packed: bytes | None = None
    system: int = 3
    attributes: int = 0


def zip_bytes(*members: ZipMember, stated_count: int | None = None, prefix: bytes = b"") -> bytes:
    body, directory = bytearray(prefix), bytearray()
    for member in members:
        offset = len(body) - len(prefix)
        packed = member.packed if member.packed is not None else _pack(member)
        size = len(member.content) if member.stated_size is None else member.stated_size
        sizes = struct.pack("<3L", zlib.crc32(member.content), len(packed), size)
        head = struct.pack("<3H2H", 20, member.flags, member.method, 0, 0x21)
        local_name = member.name if member.local_name is None else member.local_name
        body += b"PK\x03\x04" + head + sizes + struct.pack("<2H", len(local_name), 0)
        body += local_name + packed
        attributes = (member.mode << 16 if member.system == 3 else 0) | member.attributes
        directory += b"PK\x01\x02" + bytes([20, member.system]) + head + sizes
        directory += struct.pack("<5H2L", len(member.name), 0, 0, 0, 0, attributes, offset)
        directory += member.name
    count = (len(members) if stated_count is None else stated_count) & 0xFFFF
    end = struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(body) - len(prefix), 0)
    return bytes(body + directory) + b"PK\x05\x06" + end


def _pack(member: ZipMember) -> bytes:
    if member.method != DEFLATED:
        return member.content
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(member.content) + compressor.flush()


def zip64_bytes(member: ZipMember, *, fields: int = 3, record: bytes = b"PK\x06\x06") -> bytes:
    """One member whose sizes and place stand in zip64 fields; fewer than 3 are too few."""
    content = zip_bytes(member)
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    body, entry = content[:start], bytearray(content[start:end])
    packed, size = struct.unpack_from("<2L", entry, 20)
    other = struct.pack("<2HL", 0x9999, 4, 7)
    extra = other + struct.pack("<2H", 1, 8 * fields)
    extra += struct.pack("<3Q", size, packed, 0)[: 8 * fields]
    entry[20:28], entry[42:46] = b"\xff" * 8, b"\xff" * 4
    entry[30:32] = struct.pack("<H", len(extra))
    directory = bytes(entry) + extra
    end64 = record + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, 1, 1, len(directory), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(directory), 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return body + directory + end64 + locator + last


def tar_member(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes], **options: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def raw_tar_header(
    name: bytes, *, size: int = 0, kind: bytes = b"0", mode: bytes = b"0000644"
) -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[100:107] = mode
    block[108:115] = block[116:123] = b"0000000"
    block[124:135] = f"{size:011o}".encode()
    block[136:147] = b"0" * 11
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:155] = f"{sum(block):06o}\0".encode()
    return bytes(block)


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def repeated(block: bytes, times: int, wbits: int) -> bytes:
    """A deflate stream (a gzip file where `wbits` is above zero) made by compressing one block."""
    compressor = zlib.compressobj(9, wbits=-15)
    once = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    stream = once * times + zlib.compressobj(wbits=-15).flush()
    # A gzip member ends in a checksum that nobody gets far enough to see.
    return stream if wbits < 0 else b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff" + stream + bytes(8)
