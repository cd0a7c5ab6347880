"""A layer made of a stranger's archive of packages, member by member, in bounded memory.

The archive is a plain tar as `layer.write_archive` makes it, and every deviation is refused: order
(so nothing comes twice, and folders come before what is in them), names, kinds, modes, links.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from lambda_oci.archive.limits import invalid
from lambda_oci.archive.names import shown
from lambda_oci.archive.tar_members import FILE, FOLDER, LINK, read_members
from lambda_oci.errors import ContentError
from lambda_oci.layer import MAX_DEPTH, Layer, link_member, member, pack_layer, unsupported
from lambda_oci.whiteouts import IS_WHITEOUT, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits
    from lambda_oci.archive.tar_members import Member

_EXECUTABLE = 0o100
_NAME_BYTES = 255
_MODES = 0o777
_REASONS = {"PackagesTooLarge", "UnsupportedFile"}


def write_foreign_layer(
    archive: BinaryIO, file: Path, *, below: str, folder: str, beside: str, limits: Limits
) -> Layer | None:
    """The layer with `folder` and the one file `beside` of the archive, both below `below`.

    None, and no file, where the folder holds nothing. What is refused is a `ContentError`:
    `PackagesTooLarge`, `UnsupportedFile`, or `InvalidPackages` for anything that is no such
    archive. The memory that this takes depends neither on the number of members nor on their sizes.
    """
    reader = _Reader(archive, limits, folder=folder, beside=beside)

    def fill(tar: tarfile.TarFile) -> None:
        tar.addfile(member(below, tarfile.DIRTYPE, executable=True))
        for info, content in reader.members():
            info.name = f"{below}/{info.name}"
            tar.addfile(info, cast("BinaryIO", content))

    try:
        layer = pack_layer(file, fill)
    except ContentError as error:
        if error.reason in _REASONS:
            raise
        message = f"what the build left cannot be used: {error.message}"
        raise ContentError("InvalidPackages", message) from error
    if reader.is_empty:
        file.unlink()
        return None
    return layer


@dataclass(slots=True)
class _Reader:
    """The members of one archive, checked."""

    archive: BinaryIO
    limits: Limits
    folder: str
    beside: str
    is_empty: bool = True
    _bytes: int = 0
    _count: int = 0
    _last: tuple[str, ...] = ()
    _folders: list[str] = field(default_factory=list)
    """The names of the open folders, from the outermost to the innermost."""

    def members(self) -> Iterator[tuple[tarfile.TarInfo, _Content]]:
        """Yield what is to be added, with names as in the archive."""
        for entry, content in read_members(self.archive, self.limits):
            parts = self._parts(entry)
            name = "/".join(parts)
            self._count_one(entry, name)
            if entry.kind == FOLDER:
                info = member(name, tarfile.DIRTYPE, executable=True)
            elif entry.kind == LINK:
                info = link_member(name, _text(entry.link, name), self.folder)
            elif entry.kind in FILE:
                info = member(name, tarfile.REGTYPE, executable=bool(entry.mode & _EXECUTABLE))
                info.size = entry.size
            else:
                raise unsupported(name, "is not a file, folder or link")
            self._check_place(entry, parts, name)
            yield info, _Content(content)

    def _count_one(self, entry: Member, name: str) -> None:
        self._count += 1
        self._bytes += entry.size if entry.kind in FILE else 0
        if self._count > self.limits.max_entries:
            problem = f"have more than {self.limits.max_entries} files and folders"
            raise ContentError("PackagesTooLarge", f"the packages {problem}")
        if self._bytes > self.limits.max_bytes:
            problem = f"are over {self.limits.max_bytes} bytes"
            raise ContentError("PackagesTooLarge", f"the packages {problem}, at {name!a}")

    def _parts(self, entry: Member) -> tuple[str, ...]:
        """The components of a name that comes after the last one."""
        name = _text(entry.name, "a member")
        if len(entry.name) > self.limits.max_path_bytes:
            raise unsupported(name[:_NAME_BYTES], "has a path that is too long")
        parts = tuple((name.removesuffix("/") if entry.kind == FOLDER else name).split("/"))
        if not {"", ".", ".."}.isdisjoint(parts):
            raise unsupported(name, "has a path that is absolute, or has . or .. in it")
        if any(part.startswith(WHITEOUT) for part in parts):
            raise unsupported(name, IS_WHITEOUT)
        if len(parts) > MAX_DEPTH or any(len(part.encode()) > _NAME_BYTES for part in parts):
            raise unsupported(name, "is too deep, or has a name that is too long")
        if entry.mode & ~_MODES:
            raise unsupported(name, "has a mode beyond reading, writing and executing")
        if parts <= self._last:
            raise invalid(f"{shown(name)} comes twice or out of order")
        self._last = parts
        return parts

    def _check_place(self, entry: Member, parts: tuple[str, ...], name: str) -> None:
        """Accept what is in an open folder, be it the folder that was just opened."""
        parents = list(parts[:-1])
        del self._folders[len(parents) :]
        if parents != self._folders:
            raise invalid(f"{shown(name)} is in a folder that the archive does not have")
        if parents:
            self.is_empty = False
        elif (name, entry.kind == FOLDER) not in {(self.folder, True), (self.beside, False)}:
            raise invalid(f"{shown(name)} is neither {self.folder}/ nor {self.beside}")
        elif name == self.beside and entry.kind == LINK:
            raise unsupported(name, "is a link")
        if entry.kind == FOLDER:
            self._folders.append(parts[-1])


class _Content:
    """Chunks as the file that `tarfile` reads, in pieces of the size that it asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _text(raw: bytes, whose: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise unsupported(whose, f"has the name {shown(raw)}, which is not UTF-8") from None
