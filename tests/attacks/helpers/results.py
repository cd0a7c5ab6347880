"""What hostile Jobs leave in storage instead of their packages."""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.helpers.archives import (
    ZipMember,
    gzipped,
    raw_tar_header,
    tar_bytes,
    tar_member,
    zip_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = tar_member("packages", b"", type=tarfile.DIRTYPE, mode=0o755)
TEN_GB = 10 * 1000**3
_PLAIN_FOLDER = raw_tar_header(b"packages/", kind=b"5", mode=b"0000755")
_END = bytes(1024)


@dataclass(frozen=True)
class HostileResult:
    """An object, and the reasons for which it may be refused."""

    content: Callable[[], bytes] = field(repr=False)
    reasons: set[str]


def _tar(*members: tuple[tarfile.TarInfo, bytes], **options: object) -> Callable[[], bytes]:
    return lambda: tar_bytes(FOLDER, *members, **options)


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return tar_member(name, b"", type=kind, linkname=target)


def _raw(*blocks: bytes) -> Callable[[], bytes]:
    return lambda: b"".join((_PLAIN_FOLDER, *blocks, _END))


def _pax(**records: str) -> Callable[[], bytes]:
    member = tar_member("packages/a", b"x", pax_headers=records)
    return _tar(member, format=tarfile.PAX_FORMAT)


def _global_pax(**records: str) -> Callable[[], bytes]:
    return _tar(tar_member("packages/a"), format=tarfile.PAX_FORMAT, pax_headers=records)


def _sparse() -> bytes:
    """Return a file of GNU's old sparse format that says it has 10 GB."""
    header = bytearray(raw_tar_header(b"packages/sparse", kind=b"S"))
    header[257:265] = b"ustar  \0"
    header[386:410] = b"%011o\0%011o\0" % (TEN_GB - 512, 512)
    header[483:495] = b"\x80" + TEN_GB.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _bomb() -> bytes:
    """Return 10 MB that are 10 GB once unpacked."""
    block = bytes(10**6)
    compressor = zlib.compressobj(9, wbits=-15)
    once = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    stream = once * (TEN_GB // len(block)) + zlib.compressobj(wbits=-15).flush()
    return b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff" + stream + bytes(8)


NAME = {"UnsupportedFile"}
ARCHIVE = {"InvalidPackages"}
EITHER = NAME | ARCHIVE
SIZE = {"PackagesTooLarge"}

# Attack -> what is left, and the reasons. None of them becomes a layer.
HOSTILE_RESULTS: dict[str, HostileResult] = {
    "nothing at all": HostileResult(lambda: b"", ARCHIVE),
    "a web page": HostileResult(lambda: b"<!doctype html>" * 100, ARCHIVE),
    "a zip": HostileResult(lambda: zip_bytes(ZipMember(name=b"packages/a")), ARCHIVE),
    "compressed": HostileResult(lambda: gzipped(tar_bytes(FOLDER)), ARCHIVE),
    "10 GB of zeros, compressed": HostileResult(_bomb, ARCHIVE | SIZE),
    "10 GB by its header": HostileResult(
        _raw(raw_tar_header(b"packages/zeros", size=8**11 - 1)), SIZE
    ),
    "10 GB by GNU sparse": HostileResult(lambda: _PLAIN_FOLDER + _sparse() + _END, EITHER | SIZE),
    "10 GB by a pax override": HostileResult(_pax(size=str(TEN_GB)), ARCHIVE | SIZE),
    "a pax size that is no number": HostileResult(_pax(size="1e9"), ARCHIVE),
    "a pax name outside": HostileResult(_pax(path="../../etc/cron.d/a"), EITHER),
    "a pax name that is absolute": HostileResult(_pax(path="/runtime/server.py"), EITHER),
    "a global pax name": HostileResult(_global_pax(path="source/main.py"), EITHER),
    "a pax sparse map": HostileResult(
        _pax(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "source/x"}),
        EITHER,
    ),
    "cut off": HostileResult(lambda: tar_bytes(FOLDER, tar_member("packages/a"))[:1100], ARCHIVE),
    "a negative size": HostileResult(
        lambda: _PLAIN_FOLDER + _with(b"packages/a", 124, b"\xff" * 12) + _END, ARCHIVE | SIZE
    ),
    "over the server": HostileResult(_tar(tar_member("runtime/server.py")), EITHER),
    "over the source": HostileResult(_tar(tar_member("source/main.py")), EITHER),
    "beside the packages": HostileResult(_tar(tar_member("sitecustomize.py")), EITHER),
    "outside by dots": HostileResult(_tar(tar_member("packages/../../etc/passwd")), NAME),
    "outside by an absolute name": HostileResult(_tar(tar_member("/etc/ld.so.preload")), EITHER),
    "a name with an empty part": HostileResult(_tar(tar_member("packages//a")), NAME),
    "twice": HostileResult(_tar(*[tar_member("packages/a")] * 2), ARCHIVE),
    "a file that becomes a folder": HostileResult(
        _tar(tar_member("packages/a"), tar_member("packages/a/b")), ARCHIVE
    ),
    "through a link": HostileResult(
        _tar(_link("packages/a", "b"), tar_member("packages/a/passwd")), EITHER
    ),
    "a link out": HostileResult(_tar(_link("packages/a", "/etc/passwd")), NAME),
    "a link up": HostileResult(_tar(_link("packages/a", "../../runtime")), NAME),
    "packages that are a link": HostileResult(
        lambda: tar_bytes(_link("packages", "source")), EITHER
    ),
    "a lock that is a link": HostileResult(
        lambda: tar_bytes(_link("lock.txt", "/run/secrets"), FOLDER), NAME
    ),
    "a hard link": HostileResult(_tar(_link("packages/a", "/etc/passwd", tarfile.LNKTYPE)), NAME),
    "a character device": HostileResult(_tar(tar_member("packages/a", b"", type=b"3")), NAME),
    "a block device": HostileResult(_tar(tar_member("packages/a", b"", type=b"4")), NAME),
    "a pipe": HostileResult(_tar(tar_member("packages/a", b"", type=b"6")), NAME),
    "an unknown kind": HostileResult(_raw(raw_tar_header(b"packages/a", kind=b"Z")), EITHER),
    "setuid": HostileResult(_tar(tar_member("packages/su", mode=0o4755)), NAME),
    "setgid": HostileResult(_tar(tar_member("packages/sg", mode=0o2755)), NAME),
    "a whiteout": HostileResult(_tar(tar_member("packages/.wh.a")), NAME),
    "an opaque whiteout": HostileResult(_tar(tar_member("packages/.wh..wh..opq")), NAME),
    "a whiteout of the server": HostileResult(_tar(tar_member(".wh.runtime")), EITHER),
    "a name that is not UTF-8": HostileResult(_raw(raw_tar_header(b"packages/caf\xe9")), NAME),
    "a name of a terminal's commands": HostileResult(
        _tar(tar_member("packages/\x1b]0;owned\x07/../a")), NAME
    ),
    "very many": HostileResult(
        lambda: b"".join((_PLAIN_FOLDER, *_many(200_100), _END)), SIZE | ARCHIVE
    ),
}


def _with(name: bytes, place: int, value: bytes) -> bytes:
    header = bytearray(raw_tar_header(name))
    header[place : place + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _many(count: int) -> list[bytes]:
    """Return headers of empty files, in order; their checksums are made from the first one's."""
    template = bytearray(raw_tar_header(b"packages/000000"))
    base = sum(template) - sum(template[148:156]) + 8 * 32 - 6 * 48
    headers = []
    for number in range(count):
        digits = b"%06d" % number
        template[9:15] = digits
        template[148:156] = b"%06o\0 " % (base + sum(digits))
        headers.append(bytes(template))
    return headers
