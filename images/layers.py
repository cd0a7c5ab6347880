"""Layers as files that are made once per key."""

from __future__ import annotations

import json
import stat
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_oci.descriptors import Descriptor
from lambda_oci.layer import Layer, pack_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPRESSION = 6


def write_tree(root: Path, file: Path) -> Layer:
    """Pack all below a folder as it is to be below `/`; owner 0, time 0, modes and links kept.

    `lambda_oci.layer.write_layer` rejects what an operating system has: links that lead anywhere,
    and /tmp.
    """

    def fill(tar: tarfile.TarFile) -> None:
        for path in sorted(root.rglob("*")):
            _add(tar, path, path.relative_to(root).as_posix())

    return pack_layer(file, fill, compression=_COMPRESSION)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    status = path.lstat()
    info = tarfile.TarInfo(name)
    # The umask of this machine must not matter.
    if stat.S_ISLNK(status.st_mode):
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        tar.addfile(info)
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
        info.mode = 0o1777 if status.st_mode & stat.S_ISVTX else 0o755
        tar.addfile(info)
    elif stat.S_ISREG(status.st_mode):
        info.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        info.size = status.st_size
        with path.open("rb") as content:
            tar.addfile(info, content)
    else:
        raise ValueError(f"{name} is not a file, folder or link")


@dataclass(frozen=True, slots=True)
class LayerCache:
    """A folder with layers by key; its content can be deleted at any time."""

    folder: Path

    def layer(self, key: str, fill: Callable[[Path], None]) -> Layer:
        """The layer of this key, made by `fill` from an empty folder."""
        if (known := self._known(key)) is not None:
            return known
        with self._scratch() as scratch:
            root = scratch / "root"
            root.mkdir(mode=0o755)
            fill(root)
            return self._write(key, root, scratch)

    def layer_of(self, key: str, root: Path) -> Layer:
        """The layer of this key, made from an existing folder."""
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
                    # Another process was faster and made the same.
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
