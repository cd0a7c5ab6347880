"""Detects the kind of an archive by its first bytes, and passes on what it holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_oci.archive.foreign_kinds import name_of
from lambda_oci.archive.gunzip import GzipStream
from lambda_oci.archive.limits import invalid
from lambda_oci.archive.tar import unpack_tar
from lambda_oci.archive.tar_members import is_tar_header
from lambda_oci.archive.tree import SourceTree
from lambda_oci.archive.zip import unpack_zip

if TYPE_CHECKING:
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits
    from lambda_oci.archive.tree import Place

_BLOCK = 512


def scan(archive: BinaryIO, place: Place, limits: Limits) -> None:
    """Pass every file and folder of the archive to `place`; a `ContentError` if it is invalid."""
    tree = SourceTree(place, limits, archive_bytes=archive.seek(0, os.SEEK_END))
    archive.seek(0)
    _scan(archive, tree, limits)
    if tree.files == 0:
        raise invalid("the archive holds no files")


def _scan(stream: BinaryIO, tree: SourceTree, limits: Limits) -> None:
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
