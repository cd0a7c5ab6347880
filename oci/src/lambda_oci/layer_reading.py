"""Extracts a layer of a layout into a folder; checks its digest and every path."""

from __future__ import annotations

import gzip
import os
import posixpath
import shutil
import tarfile
import zlib
from typing import TYPE_CHECKING

from lambda_oci.descriptors import LAYER_GZIP, Descriptor, invalid_image
from lambda_oci.hashing import Hashing
from lambda_oci.whiteouts import WHITEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_oci.layout import LayoutRepository

_PLAIN = "application/vnd.oci.image.layer.v1.tar"


def extract_layer(repository: LayoutRepository, layer: Descriptor, root: Path) -> None:
    """Write the layer's files (read-only), folders and links; reject everything else.

    Whiteouts, which remove files of lower layers, are rejected too: our images have none.
    """
    if layer.media_type not in {LAYER_GZIP, _PLAIN}:
        raise invalid_image(f"layers of the type {layer.media_type!r} cannot be unpacked here")
    try:
        with repository.path(layer).open("rb") as file:
            packed = Hashing(file)
            _extract(packed, root, is_gzip=layer.media_type == LAYER_GZIP)
            packed.read_to_end()
            if packed.digest != layer.digest:
                raise invalid_image(f"the bytes stored as {layer.digest} do not match this digest")
    except FileNotFoundError:
        raise invalid_image(f"the layer {layer.digest} is not in the repository") from None
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise invalid_image(f"the layer {layer.digest} is damaged") from None


def _extract(packed: Hashing, root: Path, *, is_gzip: bool) -> None:
    file = packed.as_file()
    stream = gzip.GzipFile(fileobj=file) if is_gzip else file
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            _extract_member(tar, member, root)


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = _place(member.name, root)
    if member.isdir():
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if member.isreg() and (content := tar.extractfile(member)) is not None:
        mode = 0o555 if member.mode & 0o100 else 0o444
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            shutil.copyfileobj(content, file)
    elif member.issym():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
        if member.linkname.startswith("/") or target.startswith(".."):
            raise invalid_image(f"{member.name!a} is a link that leads out of the image")
        path.symlink_to(member.linkname)
    else:
        raise invalid_image(f"{member.name!a} is not a file, folder or symbolic link")


def _place(name: str, root: Path) -> Path:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts:
        raise invalid_image(f"the path {name!a} leaves the image")
    if parts and parts[-1].startswith(WHITEOUT):
        raise invalid_image(
            f"{name!a} is a whiteout; images that remove files cannot be unpacked here"
        )
    path = root
    for part in parts[:-1]:
        path /= part
        if path.is_symlink():
            raise invalid_image(f"the path {name!a} leads through a link")
    return path / parts[-1] if parts else root
