"""Reproducible image layers: equal folders give equal bytes."""

from __future__ import annotations

import gzip
import os
import posixpath
import stat
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_oci.descriptors import LAYER_GZIP, Descriptor
from lambda_oci.errors import ContentError
from lambda_oci.hashing import Hashing
from lambda_oci.whiteouts import IS_WHITEOUT, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

# Level 6 makes layers a tenth smaller than 3 and takes twice as long; most layers are pulled once.
_COMPRESSION = 3
MAX_DEPTH = 256
_UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer as images name it."""

    descriptor: Descriptor
    diff_id: str


@dataclass(frozen=True, slots=True)
class Layer(StoredLayer):
    """A layer in a file, ready to be published."""

    file: Path


def write_layer(contents: Sequence[tuple[str, Path]], file: Path) -> Layer:
    """Pack files and folders, each at its path in the image, into a gzipped tar.

    Sorted; owner 0, time 0; modes 0644, 0755. Links stay when they are relative and lead to the
    same content; everything that is not a file, folder or link is rejected: `UnsupportedFile`.
    """
    return pack_layer(file, lambda tar: _add_all(tar, contents))


def write_archive(contents: Sequence[tuple[str, Path]], file: Path, *, max_bytes: int) -> None:
    """Pack the same without compression, as `foreign_layer` reads it.

    `ArchiveTooLarge` where it would have more than `max_bytes`, which are never exceeded on disk.
    """
    with (
        file.open("wb") as raw,
        tarfile.open(
            fileobj=_Bounded(raw, max_bytes).as_file(), mode="w|", format=tarfile.PAX_FORMAT
        ) as tar,
    ):
        _add_all(tar, contents)


class _Bounded(Hashing):
    """A file that takes no more than some bytes."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        super().__init__(file)
        self._max_bytes = max_bytes

    def write(self, data: bytes) -> int:
        if self.size + len(data) > self._max_bytes:
            raise ContentError("ArchiveTooLarge", f"the files are over {self._max_bytes} bytes")
        return super().write(data)


def pack_layer(
    file: Path, fill: Callable[[tarfile.TarFile], None], *, compression: int = _COMPRESSION
) -> Layer:
    """A gzipped tar of what `fill` adds; equal members give equal bytes."""
    with file.open("wb") as raw:
        packed = Hashing(raw)
        with gzip.GzipFile("", "wb", compression, packed.as_file(), mtime=0) as compressor:
            unpacked = Hashing(compressor)
            with tarfile.open(
                fileobj=unpacked.as_file(), mode="w|", format=tarfile.PAX_FORMAT
            ) as tar:
                fill(tar)
    descriptor = Descriptor(LAYER_GZIP, packed.digest, packed.size)
    return Layer(descriptor, unpacked.digest, file)


def _add_all(tar: tarfile.TarFile, contents: Sequence[tuple[str, Path]]) -> None:
    parents: set[str] = set()
    for name, path in sorted(contents):
        for index, character in enumerate(name):
            if character == "/" and name[:index] not in parents:
                parents.add(name[:index])
                tar.addfile(member(name[:index], tarfile.DIRTYPE, executable=True))
        for entry, file in _walk(name, path):
            _add(tar, entry, file, root=name)


def _walk(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """The path and everything below it, parents first, sorted by name."""
    pending = [(name, path)]
    while pending:
        entry, current = pending.pop()
        yield entry, current
        if stat.S_ISDIR(current.lstat().st_mode):
            if entry.count("/") > MAX_DEPTH:
                raise unsupported(entry, "is too deep")
            try:
                names = sorted(os.listdir(current), reverse=True)  # noqa: PTH208 - names, not paths
            except PermissionError:
                raise unsupported(entry, _UNREADABLE) from None
            pending.extend((f"{entry}/{below}", current / below) for below in names)


def _add(tar: tarfile.TarFile, name: str, path: Path, *, root: str) -> None:
    if not _is_utf8(name):
        raise unsupported(name, "has a name that is not UTF-8")
    if path.name.startswith(WHITEOUT):
        raise unsupported(name, IS_WHITEOUT)
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        tar.addfile(member(name, tarfile.DIRTYPE, executable=True))
    elif stat.S_ISLNK(mode):
        tar.addfile(_link(name, path, root))
    elif stat.S_ISREG(mode):
        # Untrusted code wrote this: open it only if it still is the regular file that was seen.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except PermissionError:
            raise unsupported(name, _UNREADABLE) from None
        with os.fdopen(descriptor, "rb") as content:
            info = member(name, tarfile.REGTYPE, executable=bool(mode & stat.S_IXUSR))
            info.size = os.fstat(content.fileno()).st_size
            tar.addfile(info, content)
    else:
        raise unsupported(name, "is not a file, folder or link")


def _link(name: str, path: Path, root: str) -> tarfile.TarInfo:
    target = os.readlink(path)  # noqa: PTH115 - the text of the link, not a path of ours
    return link_member(name, target, root)


def link_member(name: str, target: str, root: str) -> tarfile.TarInfo:
    """A link of a layer, if it cannot lead out of `root`, not even through other links."""
    if not target or not _is_utf8(target):
        raise unsupported(name, "is a link to a name that is empty or not UTF-8")
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if not (reached == root or reached.startswith(f"{root}/")):
        raise unsupported(name, "is a link that leads out of its folder")
    # Behind the name of another link, `..` is not where it seems to be.
    names = [part for part in target.split("/") if part not in {"", "."}]
    if ".." in names[names.count("..") :]:
        raise unsupported(name, "is a link whose target has .. behind a name")
    info = member(name, tarfile.SYMTYPE, executable=True)
    info.linkname = target
    info.mode = 0o777
    return info


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def member(name: str, kind: bytes, *, executable: bool) -> tarfile.TarInfo:
    """A file or folder of a layer, with nothing of this machine."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if executable else 0o644
    return info


def unsupported(name: str, problem: str) -> ContentError:
    """The error for what no layer holds."""
    return ContentError("UnsupportedFile", f"{name!a} {problem}")
