"""Detects the kind of an archive by its first bytes and unpacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_oci.archive.foreign_kinds import name_of
from lambda_oci.archive.gunzip import GzipStream
from lambda_oci.archive.limits import invalid
from lambda_oci.archive.tar import is_tar_header, unpack_tar
from lambda_oci.archive.tree import SourceTree
from lambda_oci.archive.zip import unpack_zip
from lambda_oci.folders import new_folder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits

_BLOCK = 512


def unpack(archive: Path, target: Path, limits: Limits) -> None:
    """Unpack into `target`, which appears complete or not at all.

    Of their metadata, files keep the executable bit only. An invalid archive is a `ContentError`
    with the reason `UnsafeArchive`, `SourceTooLarge` or `InvalidArchive`.
    """
    with new_folder(target) as root, archive.open("rb") as stream:
        tree = SourceTree(root, limits, archive_bytes=archive.stat().st_size)
        _unpack(stream, tree, limits)
        if tree.files == 0:
            raise invalid("the archive holds no files")


def _unpack(stream: BinaryIO, tree: SourceTree, limits: Limits) -> None:
    start = stream.read(_BLOCK)
    stream.seek(0)
    if start.startswith(b"PK"):
        unpack_zip(stream, tree, limits)
    elif start.startswith(b"\x1f\x8b"):
        unpack_tar(GzipStream(stream), tree, limits)
    elif is_tar_header(start):
        unpack_tar(stream, tree, limits)
    else:
        raise invalid(
            f"the source is {name_of(start)}; send an archive that is a .zip, .tar"
            " or .tar.gz by its first bytes"
        )
