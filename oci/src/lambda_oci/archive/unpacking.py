"""Unpacks an archive into a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_oci.archive.scanning import scan
from lambda_oci.folders import new_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits


def unpack(archive: Path, target: Path, limits: Limits) -> None:
    """Unpack into `target`, which appears complete or not at all.

    Of their metadata, files keep the executable bit only. An invalid archive is a `ContentError`
    with the reason `UnsafeArchive`, `SourceTooLarge` or `InvalidArchive`.
    """
    with archive.open("rb") as stream:
        unpack_stream(stream, target, limits)


def unpack_stream(archive: BinaryIO, target: Path, limits: Limits) -> None:
    """Unpack a file that is open (and seekable), in the same way."""
    with new_folder(target) as root:
        scan(archive, _Folder(root), limits)


class _Folder:
    """Writes what an archive holds below one root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add_folder(self, parts: tuple[str, ...]) -> None:
        self._root.joinpath(*parts).mkdir(mode=0o755)

    def add_file(
        self, parts: tuple[str, ...], content: Iterable[bytes], *, executable: bool
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._root.joinpath(*parts), flags, 0o755 if executable else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in content:
                file.write(chunk)
