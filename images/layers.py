"""Layers as files that are made once: the same key, the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import stat
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lambda_oci.descriptors import LAYER_GZIP, Descriptor
from lambda_oci.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_COMPRESSION = 6


class _Hashing:
    """Hashes what passes through to a file."""

    def __init__(self, target: BinaryIO | gzip.GzipFile) -> None:
        self._target = target
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self.size += len(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()

    def as_file(self) -> BinaryIO:
        """This, for writers that only write and flush."""
        return cast("BinaryIO", self)

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"


def write_tree(root: Path, file: Path) -> Layer:
    """Pack all below a folder as it is to be below `/`; owner 0, time 0, modes and links kept.

    `lambda_oci.layer` refuses what an operating system has: links that lead anywhere, and /tmp.
    """
    with file.open("wb") as raw:
        packed = _Hashing(raw)
        with gzip.GzipFile("", "wb", _COMPRESSION, packed.as_file(), mtime=0) as compressor:
            unpacked = _Hashing(compressor)
            with tarfile.open(
                fileobj=unpacked.as_file(), mode="w|", format=tarfile.PAX_FORMAT
            ) as tar:
                for path in sorted(root.rglob("*")):
                    _add(tar, path, path.relative_to(root).as_posix())
    return Layer(Descriptor(LAYER_GZIP, packed.digest, packed.size), unpacked.digest, file)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    status = path.lstat()
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(status.st_mode) & 0o1777
    if stat.S_ISLNK(status.st_mode):
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        tar.addfile(info)
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif stat.S_ISREG(status.st_mode):
        # What the umask of this machine made of a file is no part of it.
        info.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        info.size = status.st_size
        with path.open("rb") as content:
            tar.addfile(info, content)
    else:
        raise ValueError(f"{name} is no file, folder or link")


@dataclass(frozen=True, slots=True)
class LayerCache:
    """A folder with layers by key; whatever is in it can be deleted at any time."""

    folder: Path

    def layer(self, key: str, fill: Callable[[Path], None]) -> Layer:
        """The layer of this key, made of what `fill` puts into an empty folder."""
        if (known := self._known(key)) is not None:
            return known
        with self._scratch() as scratch:
            root = scratch / "root"
            root.mkdir(mode=0o755)
            fill(root)
            return self._write(key, root, scratch)

    def layer_of(self, key: str, root: Path) -> Layer:
        """The layer of this key, made of a folder that is there."""
        if (known := self._known(key)) is not None:
            return known
        with self._scratch() as scratch:
            return self._write(key, root, scratch)

    def folder_of(self, key: str, fill: Callable[[Path], None]) -> Path:
        """A folder of this key, filled once."""
        target = self.folder / f"{key}.root"
        if not target.exists():
            with self._scratch() as scratch:
                root = scratch / "root"
                root.mkdir(mode=0o755)
                fill(root)
                try:
                    root.rename(target)
                except OSError:
                    # Somebody else was quicker, and made the same.
                    if not target.exists():
                        raise
        return target

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".") as scratch:
            yield Path(scratch)

    def _known(self, key: str) -> Layer | None:
        file, notes = self._files(key)
        if not (notes.exists() and file.exists()):
            return None
        known = json.loads(notes.read_text())
        return Layer(Descriptor(**known["descriptor"]), known["diff_id"], file)

    def _write(self, key: str, root: Path, scratch: Path) -> Layer:
        file, notes = self._files(key)
        layer = write_tree(root, scratch / "layer")
        known = {"descriptor": asdict(layer.descriptor), "diff_id": layer.diff_id}
        (scratch / "notes").write_text(json.dumps(known))
        layer.file.rename(file)
        (scratch / "notes").rename(notes)
        return Layer(layer.descriptor, layer.diff_id, file)

    def _files(self, key: str) -> tuple[Path, Path]:
        return self.folder / f"{key}.tar.gz", self.folder / f"{key}.json"
